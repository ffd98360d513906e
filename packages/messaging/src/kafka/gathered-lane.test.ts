import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GatheredLane, type Turn } from './gathered-lane.ts';

test('as many as may be are in hand together, and from the first that was tried on no more', async () => {
  const { begun, enter } = lane(3);
  const turns = [0, 1, 2, 3].map(enter);
  await settled();
  assert.deepEqual(begun, [0, 1, 2]);
  const late = lane(3);
  const [first, second] = [late.enter(0), late.enter(1)];
  first.tried();
  late.enter(2);
  await settled();
  assert.deepEqual(late.begun, [0, 1]);
  await first.handled();
  await settled();
  assert.deepEqual(late.begun, [0, 1]);
  await second.handled();
  await settled();
  assert.deepEqual(late.begun, [0, 1, 2]);
  assert.equal(turns.length, 4);
});

test('done together they are committed with two calls, and nothing beyond one that is not done', async () => {
  const { committed, enter } = lane(5);
  const turns = [0, 1, 2, 3, 4].map(enter);
  await Promise.all([0, 1, 2, 4].map((at) => turns[at]!.handled()));
  assert.deepEqual(committed, [0, 2]);
  await turns[3]!.handled();
  assert.deepEqual(committed, [0, 2, 4]);
});

test('what is done while a commit is under way is committed behind it, and waited for', async () => {
  const { committed, enter, slow } = lane(2);
  const [first, second] = [enter(0), enter(1)];
  const commit = slow();
  const done = [first.handled(), second.handled()];
  commit.resolve();
  await Promise.all(done);
  assert.deepEqual(committed, [0, 1]);
});

test('released, whatever waits may begin, so that its owner sees it end', async () => {
  const { begun, enter, release } = lane(1);
  enter(0);
  enter(1);
  release();
  enter(2);
  await settled();
  assert.deepEqual(begun, [0, 1, 2]);
});

function lane(most: number) {
  const begun: number[] = [];
  const committed: number[] = [];
  const gathered = new GatheredLane(most);
  let pace = Promise.resolve();
  return {
    begun,
    committed,
    enter(n: number): Turn {
      const turn = gathered.enter(async () => {
        await pace;
        committed.push(n);
      });
      void turn.begins.then(() => begun.push(n));
      return turn;
    },
    release: () => gathered.release(),
    slow() {
      const commit = Promise.withResolvers<void>();
      pace = commit.promise;
      return commit;
    },
  };
}

/** Nothing in it waits for a timer. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
