import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { openOutbox } from '@holdfast/messaging';
import { checkContinue, expressEdge, fastifyEdge, nodeEdge } from '@holdfast/messaging/edge';
import { sqliteStore } from '@holdfast/messaging/sqlite';
import { memoryBroker } from '@holdfast/messaging/testing';
import { otelTracer, traced } from '@holdfast/messaging/trace';
import * as api from '@opentelemetry/api';
import fastify from 'fastify';
import { Victim } from '../testing/crash/victim.ts';
import { eventually } from '../testing/eventually.ts';
import { tempDir } from '../testing/temp-dir.ts';
import { openJobs } from '../worker/jobs.ts';
import type { EdgeHeaders } from './edge-request.ts';
import { express5, listen } from './testing/edge-hosts.ts';

// The examples of `docs/guide/accepting.md`.

test('the guide: an edge of node:http, and what became of the event', async (t) => {
  const path = join(await tempDir(t), 'outbox.db');
  const port = 0;

  const outbox = await openOutbox({ store: sqliteStore({ path }) });
  const server = createServer(nodeEdge({ outbox, topic: 'orders', json: true }));
  server.on('checkContinue', checkContinue()); // 413 for those who ask first
  server.listen(port);

  t.after(() => outbox.close());
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  await eventually(
    () => server.listening,
    (is) => is,
    'it listens',
  );
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const answer = await fetch(`${url}/process`, {
    method: 'POST',
    body: '{"total":12}',
    headers: { 'idempotency-key': 'order-1' },
  });
  assert.deepEqual(
    [answer.status, await answer.text(), answer.headers.get('location')],
    [202, '{"status":"accepted","id":"order-1"}', '/process/order-1'],
  );
  outbox.relay(memoryBroker());
  await eventually(
    async () => (await fetch(`${url}/process/order-1`)).text(),
    (text) => text === '{"id":"order-1","status":"delivered","deliveries":1}',
    'the event is delivered',
  );
});

test('the guide: the same in Fastify and Express', async (t) => {
  const path = join(await tempDir(t), 'outbox.db');
  const outbox = await openOutbox({ store: sqliteStore({ path }) });
  t.after(() => outbox.close());

  const app = fastify();
  await app.register(fastifyEdge({ outbox, topic: 'orders' }), { prefix: '/api' });

  t.after(() => app.close());
  const accepted = await app.inject({ method: 'POST', url: '/api/process', payload: 'x' });
  assert.match(String(accepted.headers.location), /^\/api\/process\//);

  const express = express5;
  const site = express();
  site.use(expressEdge({ outbox, topic: 'orders' }));
  site.use(express.json()); // behind it: the edge wants the bytes

  const port = await listen(t, createServer(site));
  const answer = await fetch(`http://127.0.0.1:${port}/process`, { method: 'POST', body: 'x' });
  assert.equal(answer.status, 202);
});

test('the guide: topic and key from the event, ids and look-ups per tenant', async (t) => {
  const path = join(await tempDir(t), 'outbox.db');
  const outbox = await openOutbox({ store: sqliteStore({ path }) });
  t.after(() => outbox.close());
  const tenantOf = ({ headers }: { readonly headers: EdgeHeaders }) => String(headers['x-tenant']);

  const topics = new Map([['order.placed', 'orders']]);
  const handle = nodeEdge({
    outbox,
    json: true,
    topic: ({ json }) => topics.get((json as { type: string } | null)?.type ?? ''), // else 422
    key: ({ json }) => (json as { customer?: string }).customer, // order per customer
    id: ({ headers, raw }) => {
      const named = headers['idempotency-key'];
      return typeof named === 'string' ? `${tenantOf(raw)}:${named}` : undefined;
    },
    status: (id, raw) => (id.startsWith(`${tenantOf(raw)}:`) ? outbox.find(id) : undefined),
  });

  const port = await listen(t, createServer(handle));
  const ask = (tenant: string, body?: string, path = '/process') =>
    fetch(`http://127.0.0.1:${port}${path}`, {
      method: body === undefined ? 'GET' : 'POST',
      headers: { 'x-tenant': tenant, 'idempotency-key': '1' },
      ...(body !== undefined && { body }),
    });
  const order = '{"type":"order.placed","customer":"7"}';
  const ours = await ask('a', order);
  const theirs = await ask('b', order);
  const place = ours.headers.get('location')!;
  const statuses = [
    ours,
    theirs,
    await ask('a', order),
    await ask('a', '{"type":"x"}'),
    await ask('a', undefined, place),
    await ask('b', undefined, place),
  ].map(({ status }) => status);
  assert.deepEqual(statuses, [202, 202, 202, 422, 200, 404]);
  assert.deepEqual(
    (await outbox.waiting()).messages.map(({ id, key }) => [id, key]),
    [
      ['a:1', '7'],
      ['b:1', '7'],
    ],
  );
});

test('the guide: jobs, and how far they are', async (t) => {
  const path = join(await tempDir(t), 'jobs.db');
  const worker = new Victim('./jobs-process.ts', () => [path, '10000']);
  const jobs = await openJobs({ store: sqliteStore({ path, busyTimeoutMs: 5_000 }) });
  t.after(async () => {
    await worker.end('SIGKILL');
    await jobs.close();
  });

  const handle = nodeEdge({ outbox: jobs, topic: 'tell', path: '/jobs' });

  const url = `http://127.0.0.1:${await listen(t, createServer(handle))}`;
  const answer = await fetch(`${url}/jobs`, {
    method: 'POST',
    body: 'x',
    headers: { 'idempotency-key': 'job-1' },
  });
  const place = `${url}${answer.headers.get('location')}`;
  const look = async () => (await fetch(place)).text();
  const seen = [await look()];
  await worker.start();
  seen.push(await eventually(look, (text) => text.includes('half'), 'the other process told'));
  await jobs.cancel('job-1');
  seen.push(await look());

  assert.equal(answer.status, 202);
  assert.deepEqual(seen, [
    '{"id":"job-1","status":"accepted","deliveries":0}',
    '{"id":"job-1","status":"running","deliveries":1,"progress":"half"}',
    '{"id":"job-1","status":"cancelled","deliveries":1}',
  ]);
});

test('the guide: what came of a job is told to whoever asks for it', async (t) => {
  const jobs = await openJobs({ store: sqliteStore({ path: join(await tempDir(t), 'jobs.db') }) });
  t.after(() => jobs.close());
  jobs.work({ tell: (job) => job.result('{"rows":42}') });
  const url = `http://127.0.0.1:${await listen(t, createServer(nodeEdge({ outbox: jobs, topic: 'tell' })))}`;
  const headers = { 'idempotency-key': 'job-1' };
  await fetch(`${url}/process`, { method: 'POST', body: 'x', headers });

  const look = async () => (await fetch(`${url}/process/job-1`)).text();
  const told = await eventually(look, (text) => text.includes('done'), 'it is done');

  assert.equal(told, '{"id":"job-1","status":"done","deliveries":1,"result":"{\\"rows\\":42}"}');
});

test('the guide: traced from the request to the handler', async (t) => {
  const store = sqliteStore({ path: join(await tempDir(t), 'outbox.db') });
  const broker = memoryBroker();
  const handled: string[] = [];
  const handle = async ({ id }: { readonly id: string }) => void handled.push(id);

  const tracer = otelTracer(api);
  const outbox = await openOutbox({ store, tracer }); // its edge and its relays as well
  const how = { group: 'billing' };
  await broker.subscribe('orders', how, traced(handle, tracer, how));

  t.after(() => broker.close());
  t.after(() => outbox.close());
  outbox.relay(broker);
  await outbox.accept([{ id: 'a', topic: 'orders', body: 'x' }]);
  await eventually(
    () => handled,
    ([id]) => id === 'a',
    'it is handled',
  );
});
