import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { until } from '@holdfast/test-servers';
import { orders, server, under } from './testing/readme-both-sides.ts';

const PATHS = ['/1', '/2', '/3', '/4', '/5'];

test('the same policies serve and ask: two at a time on each side, and the client’s refusals cost the server nothing', async (t) => {
  const url = await listen(t);
  let requests = 0;
  server.on('request', () => {
    requests += 1;
  });

  const bare = PATHS.map(async (path) => {
    const response = await fetch(url + path);
    return [response.status, await response.text()];
  });
  await until('all have asked and two are served', () => under.size === 2 && requests === 5);
  for (const release of under.values()) release();
  const served = (await Promise.all(bare)).sort(([a], [b]) => Number(a) - Number(b));
  assert.deepEqual(
    served.map(([status, body]) => [status, String(body).slice(0, 5)]),
    [[200, 'done:'], [200, 'done:'], ...Array(3).fill([503, '{"err'])],
  );
  assert.equal(served[4]?.[1], '{"error":"BULKHEAD_FULL"}');

  under.clear();
  requests = 0;
  const client = orders(url);
  const asked = PATHS.map((path) =>
    client.request(path).then(
      (response) => response.status,
      ({ code }: { code: string }) => code,
    ),
  );
  await until('two are served', () => under.size === 2);
  for (const release of under.values()) release();
  const full = 'BULKHEAD_FULL';
  assert.deepEqual([await Promise.all(asked), requests], [[200, 200, full, full, full], 2]);
});

async function listen(t: TestContext): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
