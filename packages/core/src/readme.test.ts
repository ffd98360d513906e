import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import {
  bulkhead,
  circuitBreaker,
  deadline,
  fallback,
  pipeline,
  retry,
  timeout,
} from '@holdfast/core';

const prices = pipeline('prices', [
  deadline({ limitMs: 3_000 }), // outermost: the whole call
  fallback({ steps: [lastKnownPrice] }), // answers when nothing else does; the call counts as degraded
  retry({ maxRetries: 2 }), // each attempt passes what follows
  circuitBreaker(), // five failures in a row, then ten seconds of peace
  bulkhead({ limit: 20, queueLimit: 50 }), // twenty at a time, fifty wait, first come first served
  timeout({ limitMs: 800 }), // innermost: per attempt, and it aborts the fetch
]);

function lastKnownPrice(): Response {
  return new Response('42');
}

test('the README’s first example gets its answer from a server that drops two connections', async (t) => {
  let requests = 0;
  const server = createServer((request, response) => {
    requests += 1;
    if (requests < 3) request.socket.destroy();
    else response.end('17');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const response = await prices.execute(({ signal }) => fetch(url, { signal }), {
    discard: (late) => late.body?.cancel(), // a response that nobody will read
  });
  assert.deepEqual([await response.text(), requests], ['17', 3]);
});

test('the README’s first example answers with what is last known when the server is gone', async () => {
  const response = await prices.execute(({ signal }) => fetch('http://127.0.0.1:1/', { signal }));
  assert.equal(await response.text(), '42');
});

test('the README shows the words of that pipeline', () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  for (const sentence of prices.explain().words.slice(0, 2)) {
    assert.ok(readme.includes(`> ${sentence}`), sentence);
  }
});
