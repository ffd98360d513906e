import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventBytes } from './event-bytes.ts';

test('an event is taken as its content type says, or refused in the words of Dapr', () => {
  const said = ([event, type]: readonly [unknown, string]) => {
    try {
      return eventBytes(event, type).toString();
    } catch (error) {
      return (error as Error).message;
    }
  };
  const illegal = (at: number) =>
    `unable to decode base64 application/octect-stream data: illegal base64 data at input byte ${at}`;
  const bytes = 'application/octet-stream';
  const cases = [
    [{ b: 1, a: 2 }, 'application/json; charset=utf-8'],
    ['text', 'text/plain'],
    [1, 'text/plain'],
    ['x', ''],
    ['x', 'image/png'],
    ['aGk=', bytes],
    ['aG k=', bytes],
    ['aGk', bytes],
    ['a===', bytes],
  ] as const;
  const mismatch = 'mismatch between contentType and event';
  assert.deepEqual(cases.map(said), [
    '{"a":2,"b":1}',
    'text',
    mismatch,
    mismatch,
    mismatch,
    'hi',
    illegal(2),
    illegal(0),
    illegal(1),
  ]);
});
