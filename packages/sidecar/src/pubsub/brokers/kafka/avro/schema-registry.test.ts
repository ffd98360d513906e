import assert from 'node:assert/strict';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { systemClock } from '@holdfast/core';
import { createLogger } from '@holdfast/telemetry/log';
import { SchemaRegistry } from './schema-registry.ts';

const LATEST = '/under/subjects/orders-value/versions/latest';

test('a schema by its id is asked for once, the latest of a topic again after its time', async (t) => {
  const { asked, at, registry, server } = await start(t, { latestForMs: 1_000 });
  server.is(7, 'int');
  const [first, second] = await Promise.all([registry.latest('orders'), registry.latest('orders')]);
  assert.deepEqual([first, second, await registry.byId(7)], Array(3).fill(first));
  at(999);
  await registry.latest('orders');
  assert.deepEqual(asked, [LATEST]);
  server.is(8, 'long');
  at(1_000);
  assert.deepEqual(await registry.latest('orders'), {
    id: 8,
    type: { kind: 'long', name: 'long' },
  });
  assert.deepEqual(await registry.byId(7), first);
  await assert.rejects(registry.byId(9), { message: '{"error_code":40403}' });
  assert.deepEqual(asked, [LATEST, LATEST, '/under/schemas/ids/9']);
});

test('while the registry is away the schema in hand does; one that it does not have any more, does not', async (t) => {
  const { at, lines, registry, server } = await start(t, { latestForMs: 1_000 });
  server.is(7, 'int');
  await registry.latest('orders');
  at(1_000);
  server.breaks();
  assert.equal((await registry.latest('orders')).id, 7);
  assert.match(lines.join(''), /The latest schema of orders cannot be had, the one in hand does: /);
  at(2_000);
  server.is(undefined, '');
  await assert.rejects(registry.latest('orders'), { message: '{"error_code":40403}' });
});

test('without a cache every schema is asked for each time', async (t) => {
  const { asked, registry, server } = await start(t, { latestForMs: 0 });
  server.is(7, 'int');
  await registry.latest('orders');
  await registry.latest('orders');
  await registry.byId(7);
  assert.equal(asked.length, 3);
});

test('what is no schema is told', async (t) => {
  const { registry, server } = await start(t, { latestForMs: 0 });
  server.is(7, 'number');
  await assert.rejects(registry.latest('orders'), {
    message: 'the schema cannot be read: unknown type name: "number"',
  });
});

test('a registry behind a proxy is asked of the proxy', async (t) => {
  const { asked, registry } = await start(t, { behind: 'http://registry.example', latestForMs: 0 });
  await assert.rejects(registry.latest('orders'), { message: '{"error_code":40403}' });
  assert.deepEqual(asked, [`http://registry.example${LATEST}`]);
});

async function start(
  t: TestContext,
  { behind, latestForMs }: { readonly behind?: string; readonly latestForMs: number },
) {
  let nowMs = 0;
  let id: number | undefined;
  let type = '';
  let broken = false;
  const asked: string[] = [];
  const lines: string[] = [];
  const server = http.createServer((req, res) => {
    if (broken) {
      req.socket.destroy();
      return;
    }
    asked.push(req.url ?? '');
    const known = req.url === LATEST || req.url === `/under/schemas/ids/${id}`;
    if (id !== undefined && known) res.end(JSON.stringify({ id, schema: JSON.stringify(type) }));
    else res.writeHead(404).end('{"error_code":40403}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const at = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const url = `${behind ?? at}/under`;
  const registry = new SchemaRegistry(
    { url, key: undefined, latestForMs, avroJson: false },
    {
      clock: { ...systemClock, now: () => nowMs },
      log: createLogger({ write: (line) => void lines.push(line) }),
      ...(behind === undefined ? {} : { proxyOf: () => new URL(at) }),
    },
  );
  t.after(() => {
    registry.close();
    server.closeAllConnections();
    server.close();
  });
  return {
    asked,
    at: (ms: number) => {
      nowMs = ms;
    },
    lines,
    registry,
    server: {
      is(newId: number | undefined, newType: string) {
        broken = false;
        [id, type] = [newId, newType];
      },
      breaks() {
        broken = true;
      },
    },
  };
}
