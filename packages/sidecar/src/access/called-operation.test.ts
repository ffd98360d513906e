import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { cleanMethodPath } from '../invoke/method-path.ts';
import { calledOperation } from './called-operation.ts';

test('an operation is the path without query, escapes undone', () => {
  assert.deepEqual(
    ['/', '/orders/7?all=1', '/a%20b/%C3%A9', '/%FF'].map((path) => calledOperation(path)),
    ['', 'orders/7', 'a b/é', 'ÿ'].map((name) => ({ kind: 'named', name, readings: [name] })),
  );
});

test('an escaped slash is read both ways, also where it was written in small letters', () => {
  assert.deepEqual(
    ['/public%2Fsecret', '/public%2fsecret'].map((path) => calledOperation(path)),
    ['public%2Fsecret', 'public%2Fsecret'].map((kept) => ({
      kind: 'named',
      name: 'public/secret',
      readings: ['public/secret', kept],
    })),
  );
});

test('a path that our own sidecars would have cleaned names no operation', () => {
  assert.deepEqual(
    ['/a/../admin', '/a//admin', '//admin', '/%2e%2e/admin', '/..%2fadmin', '/a%zz'].map(
      (path) => calledOperation(path).kind,
    ),
    Array(6).fill('unclear'),
  );
});

test('whatever our own sidecars send names an operation, and is sent on as it is', () => {
  const piece = fc.constantFrom(
    ...'abZ019',
    '/',
    '//',
    '.',
    '..',
    '%2F',
    '%2f',
    '%2e',
    '%25',
    '%20',
    '%C3%A9',
    '%FF',
    ' ',
    '"',
    '[',
    ']',
    '{',
    '|',
    'é',
    '+',
    ';',
    '~',
    '\\',
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const sent = cleanMethodPath(pieces.join(''));
      if ('refused' in sent) return;
      assert.equal(calledOperation(`/${sent.path}?q=a/../b`).kind, 'named', sent.path);
    }),
    { numRuns: 5_000 },
  );
});
