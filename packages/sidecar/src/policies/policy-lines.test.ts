import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Listener, pipeline, retry } from '@holdfast/core';
import type { Logger } from '@holdfast/telemetry/log';
import { type PolicyLines, policyLines } from './policy-lines.ts';

describe('lines of retries', () => {
  test('name what is tried again as daprd does, once for each call', async () => {
    const lines = await linesOf((of) => of.ofApp('shop'), 'shop:orders/7', { failures: 2 });
    assert.deepEqual(lines, [
      'warn Error processing operation endpoint[shop, shop:orders/7]. Retrying in 1ms…',
      'debug Error for operation endpoint[shop, shop:orders/7] was: no',
      'info Recovered processing operation endpoint[shop, shop:orders/7] after 3 attempts',
    ]);
  });

  test('name no method where one pipeline is for all', async () => {
    const [first] = await linesOf((of) => of.ofApp('shop'), 'shop:', { failures: 1 });
    assert.equal(first, 'warn Error processing operation endpoint[shop, shop]. Retrying in 1ms…');
  });

  test('tell of no recovery where the last attempt failed as well', async () => {
    const lines = await linesOf((of) => of.ofBuiltIn, 'DaprBuiltInServiceRetries', { failures: 9 });
    assert.deepEqual(lines, [
      'warn Error processing operation DaprBuiltInServiceRetries. Retrying in 1ms…',
      'debug Error for operation DaprBuiltInServiceRetries was: no',
    ]);
  });

  test('tell of no recovery where the last answer is a failure that is handed on', async () => {
    const find = (of: PolicyLines) => of.ofComponent('Pubsub_my_bus', 'inbound');
    const lines = await linesOf(find, 'inbound my_bus', { failures: 9, asAnswers: true });
    assert.deepEqual(lines, [
      'warn Error processing operation component[my_bus] input. Retrying in 1ms…',
      'debug Error for operation component[my_bus] input was: the answer was a failure',
    ]);
  });
});

/** What is logged of one call that fails so often, and may be tried three times. */
async function linesOf(
  find: (of: PolicyLines) => Listener,
  name: string,
  { asAnswers = false, failures }: { readonly failures: number; readonly asAnswers?: boolean },
): Promise<readonly string[]> {
  const lines: string[] = [];
  const write = (level: string) => (message: string) => void lines.push(`${level} ${message}`);
  const log = { debug: write('debug'), info: write('info'), warn: write('warn') };
  const report = find(policyLines(log as unknown as Logger));
  const tried = retry({
    maxRetries: 2,
    backoff: 'constant',
    delayMs: 1,
    jitter: 'none',
    retryIf: () => true,
    retryIfResult: (value) => value === 'no',
  });
  let left = failures;
  await pipeline(name, [tried], { report, registry: undefined })
    .execute(async () => {
      left -= 1;
      if (left < 0) return 'yes';
      if (asAnswers) return 'no';
      throw new Error('no');
    })
    .catch(() => undefined);
  return lines;
}
