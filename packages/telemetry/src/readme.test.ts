import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { parseExposition } from './testing/parse-exposition.ts';
import { lines, payments, server } from './testing/readme-example.ts';

test('the example in the README is what is tested here, and does what it says', async (t) => {
  const read = (path: string) => readFile(new URL(path, import.meta.url), 'utf8');
  const example = await read('./testing/readme-example.ts');
  assert.ok((await read('../README.md')).includes(`\`\`\`ts\n${example}\`\`\``), 'they differ');

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  let attempts = 0;
  await payments.execute(() => {
    attempts += 1;
    if (attempts < 3) throw new Error('busy');
  });
  const { port } = server.address() as AddressInfo;
  const response = await fetch(`http://127.0.0.1:${port}/metrics`);
  const families = parseExposition(await response.text());

  assert.deepEqual(
    [
      response.headers.get('content-type'),
      families.shop_jobs_total?.samples,
      families.holdfast_attempts_total?.samples,
      families.holdfast_attempts_per_call?.samples[
        'holdfast_attempts_per_call_sum{pipeline="payments"}'
      ],
      lines.map((line) => JSON.parse(line).msg),
    ],
    [
      'text/plain; version=0.0.4; charset=utf-8',
      { 'shop_jobs_total{kind="refund"}': 1 },
      {
        'holdfast_attempts_total{outcome="failure",pipeline="payments"}': 2,
        'holdfast_attempts_total{outcome="success",pipeline="payments"}': 1,
      },
      3,
      ['started'],
    ],
  );
});
