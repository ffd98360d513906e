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
import { record, seededRandom, VirtualClock } from '@holdfast/core/testing';

const lastKnown = new Response('42', { headers: { 'x-degraded': 'true' } });

function pricesPipeline() {
  return pipeline('prices', [
    deadline({ limitMs: 3_000 }),
    fallback({ steps: [() => lastKnown] }),
    retry({ maxRetries: 2 }),
    circuitBreaker(),
    bulkhead({ limit: 20, queueLimit: 50 }),
    timeout({ limitMs: 800 }),
  ]);
}

test('the README’s first example gets an answer from a server that drops two connections', async (t) => {
  let requests = 0;
  const server = createServer((request, response) => {
    requests += 1;
    if (requests < 3) request.socket.destroy();
    else response.end('17');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;

  const prices = pricesPipeline();
  const response = await prices.execute(({ signal }) => fetch(url, { signal }), {
    discard: (late) => late.body?.cancel(),
  });
  assert.deepEqual([await response.text(), requests], ['17', 3]);
});

test('the README’s first example answers with what is last known when the server is gone', async () => {
  const prices = pricesPipeline();
  const response = await prices.execute(({ signal }) => fetch('http://127.0.0.1:1/', { signal }));
  assert.equal(response, lastKnown);
});

test('the README shows the words of that pipeline', () => {
  const { words } = pricesPipeline().explain();
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  for (const sentence of words.slice(0, 2)) assert.ok(readme.includes(`// ${sentence}`), sentence);
});

test('the README’s virtual time is what it says', async () => {
  const clock = new VirtualClock();
  const { events, listener } = record();
  const tested = pipeline('tested', [retry({ jitter: 'none' }), timeout({ limitMs: 800 })], {
    clock,
    random: seededRandom(1),
    report: listener,
  });
  await clock.run(() => tested.execute(() => new Promise(() => {})).catch(() => {}));
  assert.deepEqual([clock.now(), events.length], [4_600, 13]);
});
