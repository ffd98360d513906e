import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from './eventually.ts';

test('what passes is returned, however often it did not, or was an error', async () => {
  let asked = 0;
  const value = () => {
    asked += 1;
    if (asked < 3) throw new Error('not there yet');
    return { asked };
  };
  assert.deepEqual(await eventually(value, (now) => now.asked === 5, 'the fifth'), { asked: 5 });
});

test('what never passes is told with what was waited for and what was seen last', async () => {
  const never = (value: () => unknown, what: string | (() => string)) =>
    eventually(value, () => false, what, 1).then(String, (error: Error) => error.message);
  assert.deepEqual(
    [
      await never(() => [{ topic: 'a', count: 3n }], 'ten have come'),
      await never(() => Promise.reject(new Error('connection refused')), 'it serves'),
      await never(
        () => 'x'.repeat(5_000),
        () => `it said ${2} lines`,
      ).then((said) => said.replace(/x+/, (all) => `${all.length} x`)),
    ],
    [
      "ten have come: not within 1 ms; last seen: [ { topic: 'a', count: 3n } ]",
      'it serves: not within 1 ms; last seen: Error: connection refused',
      "it said 2 lines: not within 1 ms; last seen: '2000 x'... 3000 more characters",
    ],
  );
});

test('an answer that comes after the limit is still taken, where the process itself was late', async () => {
  let asked = 0;
  const blocking = () => {
    asked += 1;
    const endMs = performance.now() + 5;
    while (asked === 1 && performance.now() < endMs);
    return asked;
  };
  assert.equal(await eventually(blocking, (now) => now === 2, 'the second', 1), 2);
});
