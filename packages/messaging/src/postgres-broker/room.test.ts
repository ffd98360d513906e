import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Room } from './room.ts';

const one = (count: number) => new Map([['t', count]]);
const rows = (waiting: number) => [{ topic: 't', name: 'g', waiting }];

test('a count is used up to a half, then made anew', () => {
  const room = new Room(10);
  const counted = [room.unsure(one(1), 0)];
  room.measured(['t'], rows(2), { fromMs: 0, nowMs: 1 });
  counted.push(room.unsure(one(4), 1), room.unsure(one(5), 1));

  assert.deepEqual(counted, [['t'], [], ['t']]);
});

test('what fits is taken, the rest is told which group has no room, and counted again after a second', () => {
  const room = new Room(3);
  room.measured(['t'], rows(2), { fromMs: 0, nowMs: 0 });

  assert.deepEqual(
    [room.take('t'), room.take('t')],
    [
      undefined,
      'the group "g" of "t" has no room: 3 messages may wait for it (postgresBroker.maxMessages)',
    ],
  );
  assert.deepEqual([room.unsure(one(1), 999), room.unsure(one(1), 1_000)], [[], ['t']]);
});

test('a count that took long is believed for longer, up to a minute', () => {
  const believed = [1, 100, 5_000].map((nowMs) => {
    const room = new Room(1_000_000);
    room.measured(['t'], rows(500_000), { fromMs: 0, nowMs });
    let ms = nowMs;
    while (room.unsure(one(1), ms).length === 0) ms += 500;
    return ms - nowMs;
  });

  assert.deepEqual(believed, [5_000, 10_000, 60_000]);
});

test('a topic without a group has no limit, and is asked for each time', () => {
  const room = new Room(1);
  room.measured(['t'], [], { fromMs: 0, nowMs: 0 });

  assert.deepEqual([room.take('t'), room.take('t')], [undefined, undefined]);
  assert.deepEqual(room.unsure(one(1), 1), ['t']);
});
