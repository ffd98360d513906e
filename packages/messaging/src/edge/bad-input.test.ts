import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import { memoryStore } from '../memory-store.ts';
import { openOutbox } from '../outbox.ts';
import { sqliteStore } from '../sqlite/sqlite-store.ts';
import { eventually } from '../testing/eventually.ts';
import { memoryBroker } from '../testing/memory-broker.ts';
import { tempDir } from '../testing/temp-dir.ts';
import { acceptRequest } from './accept-request.ts';
import { resolveEdgeOptions } from './edge-options.ts';
import type { EdgeBody } from './edge-request.ts';
import { nodeEdge } from './node-edge.ts';
import { listen } from './testing/edge-hosts.ts';

// What `docs/guide/accepting.md` says of bad input, one by one.

test('an outbox written by a newer version refuses events with 503, and takes them after an upgrade', async (t) => {
  const path = join(await tempDir(t), 'outbox.db');
  await (await openOutbox({ store: sqliteStore({ path }) })).close();
  const setVersion = (version: number | bigint | undefined) => {
    const database = new DatabaseSync(path);
    const { user_version } = database.prepare('PRAGMA user_version').get() as {
      user_version: number;
    };
    database.exec(`PRAGMA user_version = ${version}`);
    database.close();
    return user_version;
  };
  const known = setVersion(99);
  const problems: string[] = [];
  const outbox = await openOutbox({ store: sqliteStore({ path }) });
  t.after(() => outbox.close());
  const post = await posting(t, {
    outbox,
    topic: 'orders',
    onProblem: (error) => problems.push(String(error)),
  });

  const refused = await post('x');
  assert.deepEqual([refused.status, Number(refused.headers.get('retry-after')) >= 1], [503, true]);
  assert.doesNotMatch(await refused.text(), /outbox\.db|schema/);
  assert.match(problems[0] ?? '', /was written by a newer Holdfast \(schema 99/);

  setVersion(known);
  await eventually(
    async () => (await post('x')).status,
    (status) => status === 202,
    'the event is accepted',
  );
});

test('an event of a newer version of its client is kept byte for byte, what is unknown in it too', async (t) => {
  const outbox = await openOutbox({ store: memoryStore() });
  const post = await posting(t, { outbox, topic: 'orders', json: true });
  const body = '{"schema": 7, "of tomorrow": [1.0, 1e400], "twice": 1, "twice": 2}';
  // A later version of Trace Context is read as far as this one goes.
  const traceparent = 'cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more';
  assert.equal((await post(body, { traceparent })).status, 202);
  const [message] = (await outbox.waiting()).messages;
  assert.equal(String(message?.body), body);
  assert.equal(
    message?.headers.traceparent,
    '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
  );
});

test('an event too large for the outbox alone is 413, and one too large for the broker alone dies', async (t) => {
  const outbox = await openOutbox({ store: memoryStore(), limits: { maxBodyBytes: 10 } });
  const broker = memoryBroker();
  broker.refuseIf(({ body }) => (body.byteLength > 5 ? 'larger than 5 bytes' : undefined));
  outbox.relay(broker);
  t.after(() => outbox.close());
  const post = await posting(t, { outbox, topic: 'orders' });

  assert.equal((await post('x'.repeat(11))).status, 413);
  const accepted = await post('x'.repeat(10));
  const place = new URL(accepted.headers.get('location')!, accepted.url);
  const status = await eventually(
    async () => (await (await fetch(place)).json()) as { status: string },
    (seen) => seen.status === 'dead',
    'the event is dead',
  );
  assert.equal(status.status, 'dead');
});

test('a topic or an id that no message can have is told to the client, and 503 to those who come too late', async () => {
  const outbox = await openOutbox({ store: memoryStore() });
  const options = resolveEdgeOptions({
    outbox,
    topic: ({ headers }) => String(headers['x-topic']),
    id: ({ headers }) => String(headers['x-id']),
  });
  const accept = async (topic: string, id: string) => {
    const headers = { 'x-topic': topic, 'x-id': id };
    const request = { method: 'POST', url: '/process', headers, body: 'x', raw: undefined };
    const answer = await acceptRequest(options, request);
    return `${answer?.status} ${JSON.parse(answer?.body ?? '{}').error}`;
  };
  const long = 'x'.repeat(256);
  const answers = [await accept(long, 'a'), await accept('', 'a'), await accept('a', long)];
  await outbox.close();
  answers.push(await accept('a', 'a'));
  assert.deepEqual(answers, [
    '422 The event is for no topic that is known here.',
    '422 The event is for no topic that is known here.',
    '400 The event’s id must be text of 1 to 255 characters.',
    '503 The event was not accepted, because this service is stopping. Send it again in 1 s.',
  ]);
});

test('what a parser has made of a body and no JSON can say is an error of the service', async () => {
  const outbox = await openOutbox({ store: memoryStore() });
  const options = resolveEdgeOptions({ outbox, topic: 'orders' });
  const accept = (body: EdgeBody) =>
    acceptRequest(options, { method: 'POST', url: '/process', headers: {}, body, raw: undefined });
  const circle: Record<string, unknown> = {};
  circle.self = circle;
  await assert.rejects(accept(circle), /cannot be kept: Converting circular structure to JSON/);
  await assert.rejects(accept({ n: 1n }), /cannot be kept: .*BigInt/);
  await assert.rejects(
    accept(() => {}),
    /a function has no JSON. Mount the edge before that parser\.$/,
  );
  assert.equal((await outbox.stats()).queued, 0);
});

async function posting(t: TestContext, options: Parameters<typeof nodeEdge>[0]) {
  const port = await listen(t, createServer(nodeEdge(options)));
  return (body: string, headers: Record<string, string> = {}) =>
    fetch(`http://127.0.0.1:${port}/process`, { method: 'POST', body, headers });
}
