import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runInNewContext } from 'node:vm';
import { errorLine, withStack } from './error-text.ts';

test('whatever is thrown is told in one line', () => {
  const throws = () => {
    throw new Error('a getter that throws');
  };
  const odd: readonly (readonly [unknown, string])[] = [
    [new TypeError('a\n  b'), 'TypeError: a b'],
    [{ code: 'E', message: 'plain' }, 'plain'],
    [{ code: 'E' }, '{"code":"E"}'],
    ['text', 'text'],
    [undefined, 'undefined'],
    [null, 'null'],
    [Symbol('s'), 'Symbol(s)'],
    [Object.create(null), '{}'],
    [{ toString: throws }, '{}'],
    [{ toJSON: throws }, 'something that cannot be told in words (object)'],
    [{ toJSON: () => undefined }, 'something that cannot be told in words (object)'],
    [new Error('a \n\n \r\n b\n'), 'Error: a b'],
    [Object.defineProperty(new Error('m'), 'name', { get: throws }), 'm'],
    [runInNewContext('new RangeError("of another realm")'), 'RangeError: of another realm'],
  ];

  assert.deepEqual(
    odd.map(([thrown]) => errorLine(thrown)),
    odd.map(([, line]) => line),
  );
});

test('the stack is kept where it is one, of an error of another realm too', () => {
  const foreign = runInNewContext('new RangeError("far")', {}, { filename: 'far.js' });

  assert.match(withStack('failed', foreign), /^failed: RangeError: far\n {4}at far\.js/);
  assert.equal(
    withStack('failed', Object.assign(new Error('m'), { stack: 5 })),
    'failed: Error: m',
  );
});

test('a text full of blanks is told at once: a hundred thousand of them held everything up for seconds', {
  timeout: 60_000,
}, () => {
  const blanks = ' '.repeat(10_000_000);

  assert.equal(errorLine(new Error(`a${blanks}b`)).length, 'Error: ab'.length + blanks.length);
  assert.equal(errorLine(new Error(`a${blanks}\n${blanks}b`)), 'Error: a b');
});
