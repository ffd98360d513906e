import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { VirtualClock } from '@holdfast/core/testing';
import { inTurn, whileBusy } from './while-busy.ts';

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
    assert.deepEqual(tried.splice(0), [0, 1, 3]);
    await assert.rejects(
      clock.run(() => whileBusy(work(100), 60, clock)),
      /locked/,
    );
    // 0, 1, 3, 8, 18, 33, 53 and 78 ms: the first that is late is the last.
    assert.equal(tried.length, 8);
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

describe('inTurn', () => {
  test('one of many asks for the lock, and all are done in the order they came', async () => {
    const clock = new VirtualClock();
    const turn = inTurn(10_000, clock);
    let attempts = 0;
    const done: number[] = [];
    const work = (at: number) => () => {
      attempts += 1;
      if (clock.now() < 1_000) throw Object.assign(new Error('locked'), { errcode: 5 });
      done.push(at);
    };
    const all = Array.from({ length: 100 }, (_, at) => at);
    await clock.run(() => Promise.all(all.map((at) => turn(work(at)))));
    assert.deepEqual(done, all);
    // Each takes the event loop for as long as SQLite looks: a hundred of them every few milliseconds stood in everybody's way.
    assert.ok(attempts < 150, `${attempts} attempts`);
  });

  test('each waits for as long as it may and no longer, and the next is not held up by its failure', async () => {
    const clock = new VirtualClock();
    const turn = inTurn(100, clock);
    const ended: [string, number][] = [];
    const write = async (name: string) => {
      const locked = () => {
        if (clock.now() < 250) throw Object.assign(new Error('locked'), { errcode: 5 });
      };
      const how = await turn(locked).then(
        () => 'done',
        () => 'locked',
      );
      ended.push([`${name} ${how}`, clock.now()]);
    };
    await clock.run(async () => {
      const first = write('a');
      await clock.sleep(60);
      const second = write('b');
      await clock.sleep(140);
      await Promise.all([first, second, write('c')]);
    });
    assert.deepEqual(
      ended.map(([what]) => what),
      ['a locked', 'b locked', 'c done'],
    );
    const [a, b, c] = ended.map(([, atMs]) => atMs);
    assert.ok(a! >= 100 && a! <= 125 && b! >= 160 && b! <= 185 && c! >= 250 && c! <= 275);
  });
});
