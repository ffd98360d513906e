import assert from 'node:assert/strict';
import { test } from 'node:test';
import { outsideHeaders } from './forward-headers.ts';

const CLIENT = ['x-one', 'client', 'authorization', 'Bearer mine', 'x-two', 'client'];

test('a client could show its own token in place of the endpoint’s', () => {
  const headers = ['authorization', 'Bearer ours', 'x-one', 'a', 'x-one', 'b', 'host', 'elsewhere'];

  assert.deepEqual(outsideHeaders(CLIENT, { headers, authorization: undefined }), [
    ...['x-two', 'client'],
    ...['authorization', 'Bearer ours'],
    ...['x-one', 'b'],
  ]);
});

test('who the address says is calling counts where nobody says it otherwise', () => {
  const authorization = 'Basic dXM6cHc=';

  assert.deepEqual(
    [
      outsideHeaders(['x-one', 'authorization'], { headers: [], authorization }),
      outsideHeaders(CLIENT, { headers: [], authorization }),
      outsideHeaders([], { headers: ['authorization', 'Bearer ours'], authorization }),
    ],
    [
      ['x-one', 'authorization', 'authorization', authorization],
      CLIENT,
      ['authorization', 'Bearer ours'],
    ],
  );
});
