import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import * as mqtt from 'mqtt';
import { nodeEdge } from '../edge/node-edge.ts';
import { listen } from '../edge/testing/edge-hosts.ts';
import type { IncomingMessage } from '../message.ts';
import { mqttBroker } from '../mqtt/mqtt-broker.ts';
import { openOutbox } from '../outbox.ts';
import { sqliteStore } from '../sqlite/sqlite-store.ts';
import { eventually } from '../testing/eventually.ts';
import { mqttProcess } from '../testing/servers/mqtt-process.ts';
import { tempDir } from '../testing/temp-dir.ts';
import { followAwaits, openTelemetry } from './testing/open-telemetry.ts';
import { traced } from './traced.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const CALLER = '00f067aa0ba902b7';

test('a request, its event on disk, a real broker and a handler are one trace, hop by hop', async (t) => {
  t.after(followAwaits());
  const { tracer, raw, spans } = openTelemetry();
  const directory = await tempDir(t);
  const server = await mqttProcess(join(directory, 'broker'));
  t.after(() => server.kill());
  const broker = mqttBroker({ mqtt, url: server.url, clientId: 'orders' });
  const path = join(directory, 'outbox.db');

  // One process accepts, and is gone before anything is published.
  const accepting = await openOutbox({ store: sqliteStore({ path }), tracer });
  const port = await listen(t, createServer(nodeEdge({ outbox: accepting, topic: 'orders' })));
  const answer = await fetch(`http://127.0.0.1:${port}/process`, {
    method: 'POST',
    body: '{"total":12}',
    headers: { traceparent: `00-${TRACE}-${CALLER}-01`, tracestate: 'vendor=1' },
  });
  assert.equal(answer.status, 202);
  await accepting.close();

  const came: IncomingMessage[] = [];
  const handler = async (message: IncomingMessage) => {
    raw.startSpan('charge the card').end();
    came.push(message);
  };
  const how = { group: 'billing' };
  await broker.subscribe('orders', how, traced(handler, tracer, { system: 'mqtt', ...how }));
  const relaying = await openOutbox({ store: sqliteStore({ path }), tracer });
  relaying.relay(broker);
  t.after(async () => {
    await relaying.close();
    await broker.close();
  });
  await eventually(spans, (all) => all.length >= 4, 'four spans have ended');

  const span = (name: string) => spans().find((each) => each.name === name);
  const [accept, publish, process, charge] = [
    span('accept orders'),
    span('publish orders'),
    span('process orders'),
    span('charge the card'),
  ];
  assert.deepEqual(
    [accept, publish, process, charge].map((each) => [each?.traceId, each?.parent, each?.links]),
    [
      [TRACE, CALLER, []],
      [TRACE, accept?.spanId, [accept?.spanId]],
      [TRACE, publish?.spanId, [publish?.spanId]],
      [TRACE, process?.spanId, []],
    ],
  );
  assert.deepEqual(
    [accept, publish, process].map((each) => each?.attributes['messaging.system']),
    ['holdfast', 'mqtt', 'mqtt'],
  );
  const { traceparent, tracestate } = came[0]?.headers ?? {};
  assert.deepEqual([traceparent, tracestate], [`00-${TRACE}-${publish?.spanId}-01`, 'vendor=1']);
});
