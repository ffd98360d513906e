import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newMessageId } from './message-id.ts';

const VERSION_7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

test('ids made one after another are in order, also within a millisecond', () => {
  const ids = [1_700_000_000_000, 1_700_000_000_001].flatMap((wallMs) =>
    Array.from({ length: 4_096 }, () => newMessageId(wallMs)),
  );

  assert.deepEqual(ids.toSorted(), ids);
});

test('an id is a UUID of version 7 that begins with its time, and none comes twice', () => {
  const ids = Array.from({ length: 10_000 }, () => newMessageId(0x0123_4567_89ab));

  assert.deepEqual(
    ids.filter((id) => !VERSION_7.test(id) || !id.startsWith('01234567-89ab-7')),
    [],
  );
  assert.equal(new Set(ids).size, ids.length);
});

test('a clock that is set back makes ids of its time again', () => {
  const [, before, after] = [2_000, 3_000, 2_000].map((wallMs) => newMessageId(wallMs));

  assert.ok(String(after) < String(before));
});
