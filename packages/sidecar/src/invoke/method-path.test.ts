import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { cleanMethodPath } from './method-path.ts';

test('cleans as path.Clean does, and keeps what only the application understands', () => {
  const cleaned = [
    ['a/b', 'a/b'],
    ['', ''],
    ['/', ''],
    ['//', ''],
    ['a/', 'a'],
    ['a//b', 'a/b'],
    ['./a/./b', 'a/b'],
    ['a/../../b', 'b'],
    ['a/%2E%2e/b', 'b'],
    ['a/%2e/b', 'a/b'],
    ['a%2Fb', 'a%2Fb'],
    ['a/%2e%2e%2fb', 'b'],
    ['..%2f..%2fetc', 'etc'],
    ['.well-known/x', '.well-known/x'],
    ['a b', 'a%20b'],
    ['\u00e9', '%E9'],
    ['%FF%FE', '%FF%FE'],
    ["@:!$&'()*+,;=~[]", "@:!$&'()*+,;=~[]"],
  ].map(([raw, path]) => ({ raw, is: cleanMethodPath(raw!), expected: { path } }));

  assert.deepEqual(
    cleaned.map(({ is }) => is),
    cleaned.map(({ expected }) => expected),
  );
});

test('refuses what would end or change the path', () => {
  const forbidden = ['a%23b', 'a%3fb', 'a?b', 'a%00', 'a%0d%0ab', 'a%7f', 'a%zz', '%'];

  assert.deepEqual(
    forbidden.filter((raw) => !('refused' in cleanMethodPath(raw))),
    [],
  );
});

test('whatever comes out leaves the method neither up nor by a second host, and is stable', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom(...'ab/.%2eEfF5c?#\\ é'), maxLength: 30, size: 'max' }),
      (raw) => {
        const once = cleanMethodPath(raw);
        if ('refused' in once) return true;
        const segments = once.path.split('/').map((segment) => segment.replace(/%2e/gi, '.'));
        const dots = segments.includes('..') || segments.includes('.');
        const again = cleanMethodPath(once.path);
        return !dots && !once.path.startsWith('/') && 'path' in again && again.path === once.path;
      },
    ),
  );
});
