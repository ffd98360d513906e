import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bulkhead } from '../../bulkhead/bulkhead.ts';
import { cache } from '../../cache/cache.ts';
import { pipeline } from '../../pipeline.ts';
import { rateLimit } from '../../rate-limit/rate-limit.ts';
import { retry } from '../../retry/retry.ts';
import { virtualWorld } from '../../testing/virtual-world.ts';
import { throttle } from '../../throttle/throttle.ts';

/** What JavaScript may hand over for each option, and the rule that it breaks. */
const WRONG: Readonly<Record<string, readonly [rule: RegExp, values: readonly unknown[]]>> = {
  signal: [/^execute\.signal must be an AbortSignal, not /, [null, 5, 'x', {}, true]],
  deadlineMs: [
    /^deadlineMs must be a number of milliseconds, not /,
    [null, '5', NaN, {}, true, 5n],
  ],
  idempotent: [/^execute\.idempotent must be true or false, not /, [null, 'false', 0, {}]],
  criticality: [/^execute\.criticality must be one of /, [null, 'high', 0, {}]],
  key: [/^execute\.key must be a string, not /, [null, 5, {}]],
  cacheKey: [/^execute\.cacheKey must be a string, not /, [null, 5, {}]],
  onDegraded: [/^execute\.onDegraded must be a function, not /, [null, 5, {}]],
  discard: [/^execute\.discard must be a function, not /, [null, 'x', {}]],
};

test('what is no option of a call rejects it by name, and neither runs the function nor leaves anything', async () => {
  const { env, left, play } = virtualWorld();
  const policies = [retry(), bulkhead({ limit: 1 }), throttle(), rateLimit({ limit: 99 }), cache()];
  const p = pipeline('p', policies, env);
  let runs = 0;
  const execute = (options: unknown) => p.execute(() => (runs += 1), options as never);
  for (const [option, [rule, values]] of Object.entries(WRONG)) {
    for (const value of values) {
      const { error } = await play(() => execute({ [option]: value }));
      assert.match((error as Error).message, rule);
    }
  }
  for (const options of [null, 5, 'x', [], () => {}]) {
    const { error } = await play(() => execute(options));
    assert.match((error as Error).message, /^execute\.options must be an object of options, not /);
  }
  assert.deepEqual([runs, left()], [0, []]);
  assert.equal((await play(() => p.execute(() => 'well'))).value, 'well');
});

test('what is left undefined is left out', async () => {
  const { env, play } = virtualWorld();
  const nothing = Object.fromEntries(Object.keys(WRONG).map((option) => [option, undefined]));
  const p = pipeline('p', [retry(), cache()], env);
  assert.equal((await play(() => p.execute(() => 'well', nothing))).value, 'well');
});
