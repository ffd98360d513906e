import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { VirtualClock } from '@holdfast/core/testing';
import { whileBusy } from './while-busy.ts';

describe('whileBusy', () => {
  test('waits for another process to end its write, and no longer than it may', async () => {
    const tried: number[] = [];
    const clock = new VirtualClock();
    const work = (succeedsAt: number) => () => {
      tried.push(clock.now());
      // SQLITE_BUSY_SNAPSHOT: its lower bits are SQLITE_BUSY.
      if (tried.length < succeedsAt) throw Object.assign(new Error('locked'), { errcode: 517 });
      return 'done';
    };
    assert.equal(await clock.run(() => whileBusy(work(3), 1_000, clock)), 'done');
    assert.deepEqual(tried.splice(0), [0, 25, 50]);
    await assert.rejects(
      clock.run(() => whileBusy(work(100), 60, clock)),
      /locked/,
    );
    assert.equal(tried.length, 4);
  });

  test('waits for nothing else', async () => {
    const clock = new VirtualClock();
    const broken = () => {
      throw Object.assign(new Error('disk'), { errcode: 10 });
    };
    await assert.rejects(
      clock.run(() => whileBusy(broken, 1_000, clock)),
      /disk/,
    );
    assert.equal(clock.now(), 0);
  });
});
