import assert from 'node:assert/strict';
import { test } from 'node:test';
import { plain } from './plain.ts';

test('what JSON cannot write becomes text', () => {
  const odd = {
    big: 12n,
    infinite: Number.NEGATIVE_INFINITY,
    symbol: Symbol('s'),
    call: function named() {},
    nothing: undefined,
    bytes: new Uint8Array(3),
    map: new Map([[1, 'one']]),
    set: new Set([1n]),
    when: new Date(0),
  };

  assert.deepEqual(plain(odd), {
    big: '12',
    infinite: '-Infinity',
    symbol: 'Symbol(s)',
    call: '[function named]',
    nothing: undefined,
    bytes: '[3 bytes]',
    map: { 1: 'one' },
    set: ['1'],
    when: '1970-01-01T00:00:00.000Z',
  });
});

test('an error shows its code, its stack and all its causes', () => {
  const cause = Object.assign(new TypeError('inner'), { code: 'E_INNER' });
  const shown = plain(new Error('outer', { cause })) as Record<string, unknown>;

  const { stack, cause: shownCause, ...rest } = shown;
  const { stack: _innerStack, ...inner } = shownCause as Record<string, unknown>;
  assert.deepEqual(
    { rest, inner, hasStack: String(stack).includes('plain.test.ts') },
    {
      rest: { name: 'Error', message: 'outer' },
      inner: { name: 'TypeError', message: 'inner', code: 'E_INNER' },
      hasStack: true,
    },
  );
});

test('cycles, depths, crowds, long texts and throwing getters end', () => {
  const cycle: Record<string, unknown> = {};
  cycle.self = cycle;
  const deep = { a: { b: { c: { d: { e: { f: { g: 1 } } } } } } };
  const twice = { x: 1 };
  const trap = {
    get boom(): never {
      throw new Error('no');
    },
  };

  assert.deepEqual(
    [
      plain(cycle),
      plain(deep),
      (plain(Array.from({ length: 103 }, () => 0)) as unknown[]).slice(99),
      (plain('x'.repeat(10_000)) as string).length,
      plain({ first: twice, second: twice }),
      plain({ trap }),
    ],
    [
      { self: '[circular]' },
      { a: { b: { c: { d: { e: { f: '[too deep]' } } } } } },
      [0, '… 3 more'],
      8_193,
      { first: { x: 1 }, second: { x: 1 } },
      { trap: '[unreadable: no]' },
    ],
  );
});

test('an object that shares its parts is not copied without end: a line of one took all the memory', () => {
  let shared: object = { leaf: 1 };
  for (let depth = 0; depth < 6; depth += 1) {
    shared = Object.fromEntries(Array.from({ length: 30 }, (_, at) => [`part${at}`, shared]));
  }
  const written = JSON.stringify(plain(shared));

  assert.match(written, /"\[too much\]"/);
  assert.ok(written.length < 1_000_000, `${written.length} characters`);
});
