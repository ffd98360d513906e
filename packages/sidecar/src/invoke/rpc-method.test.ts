import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cleanRpcMethod } from './rpc-method.ts';

test('an escape is text for gRPC, and part of a path for HTTP', () => {
  const cleaned = [
    ['a/b', 'a/b', undefined],
    ['', '', undefined],
    ['/', '', '/'],
    ['/a/', 'a', '/a'],
    ['a//../b/./c/', 'b/c', undefined],
    ['../../b', 'b', undefined],
    ['a b', 'a%20b', undefined],
    ['a%20b', 'a%20b', 'a%20b'],
    ['a%2Fb', 'a%2Fb', 'a%2Fb'],
    ['a%2F..%2Fb', 'b', 'a%2F..%2Fb'],
    ['a/%2e%2E/b', 'b', 'a/%2e%2E/b'],
    ['50%', '50%25', undefined],
    ['50%25', '50%25', '50%25'],
    ['%FF', '%FF', undefined],
    ['é€😀', '%C3%A9%E2%82%AC%F0%9F%98%80', undefined],
    ['a%23%3F%00', 'a%23%3F%00', 'a%23%3F%00'],
  ].map(([raw, path, name]) => ({ is: cleanRpcMethod(raw!), expected: { path, name } }));

  assert.deepEqual(
    cleaned.map(({ is }) => is),
    cleaned.map(({ expected }) => expected),
  );
});

test('what would end a path is refused as it is, not behind an escape', () => {
  assert.deepEqual(
    ['a#b', 'a?b', 'a\0', 'a\rb', 'a\x7f'].filter((raw) => !('refused' in cleanRpcMethod(raw))),
    [],
  );
});
