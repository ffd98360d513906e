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

test('a text full of blanks is told at once: a hundred thousand of them held everything up for seconds', () => {
  const blanks = ' '.repeat(4_000);

  assert.equal(errorLine(new Error(`a${blanks}\n\n b${blanks}`)), 'Error: a b');
  assert.equal(errorLine(new Error(`a${blanks}b`)), `Error: a${blanks}b`);
});

test('of a text, and of a stack, so much is kept: a whole answer of a server was the reason of each dead letter', () => {
  const error = new Error('x'.repeat(1_000_000));
  error.stack = Array.from({ length: 1_000 }, (_, at) => `    at frame${at}`).join('\n');
  const [line = '', ...frames] = withStack('failed', error).split('\n');

  assert.equal(line, `failed: Error: ${'x'.repeat(10_000 - 'Error: '.length)}…`);
  assert.equal(frames.length, 50);
});
