import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { circuitBreaker, pipeline, retry, timeout } from '@holdfast/core';

test('the first call of the README survives two connections that break', async (t) => {
  let requests = 0;
  const server = createServer((request, response) => {
    requests += 1;
    if (requests < 3) request.socket.destroy();
    else response.end('{"paid":true}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;

  const payments = pipeline('payments', [
    retry({ maxRetries: 3 }), // outermost: each attempt passes what follows
    circuitBreaker(), // five failures in a row, then ten seconds of peace
    timeout({ limitMs: 800 }), // innermost: per attempt, and it aborts the fetch
  ]);
  const receipt = await payments.execute(({ signal }) => fetch(url, { signal }));

  assert.deepEqual([await receipt.json(), requests], [{ paid: true }, 3]);
});
