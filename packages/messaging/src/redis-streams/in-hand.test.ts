import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VirtualClock } from '@holdfast/core/testing';
import { InHand } from './in-hand.ts';

test('an entry is handed over until its moment, unless it is extended', async () => {
  const clock = new VirtualClock();
  const inHand = new InHand(clock);
  const [one, two] = [inHand.add('1-0', 1, 100)!, inHand.add('2-0', 1, 100)!];
  const begun = [inHand.begin(one)];
  inHand.extend(200, new Set(['2-0']));
  await clock.run(() => clock.sleep(150));
  begun.push(inHand.begin(one), inHand.begin(two));
  await clock.run(() => clock.sleep(50));
  begun.push(inHand.begin(one));

  assert.deepEqual(begun, [true, true, false, false]);
  assert.equal(inHand.count, 0);
});

test('what comes again while it is here, or handled and not acknowledged, is not taken twice', () => {
  const inHand = new InHand(new VirtualClock());
  const held = inHand.add('1-0', 1, 100)!;
  const again = [inHand.add('1-0', 2, 100)];
  inHand.finish(held);
  again.push(inHand.add('1-0', 3, 100));
  inHand.acknowledged(['1-0']);

  assert.deepEqual(again, [undefined, undefined]);
  assert.equal(inHand.count, 0);
});

test('what is forgotten is not begun, and what was handled of it is still acknowledged', () => {
  const inHand = new InHand(new VirtualClock());
  const [one, two] = [inHand.add('1-0', 1, 100)!, inHand.add('2-0', 1, 100)!];
  inHand.finish(one);
  inHand.forget();

  assert.deepEqual(
    { begun: inHand.begin(two), held: inHand.held, handled: inHand.handled },
    { begun: false, held: [], handled: ['1-0'] },
  );
});

test('room is waited for, or an end', async () => {
  const inHand = new InHand(new VirtualClock());
  const ending = new AbortController();
  const held = inHand.add('1-0', 1, 100)!;
  const seen: string[] = [];
  const room = inHand.fewerThan(1, ending.signal).then(() => seen.push('room'));
  inHand.finish(held);
  seen.push('handled');
  inHand.acknowledged(['1-0']);
  await room;
  inHand.add('2-0', 1, 100);
  const end = inHand.fewerThan(1, ending.signal).then(() => seen.push('end'));
  ending.abort();
  await end;

  assert.deepEqual(seen, ['handled', 'room', 'end']);
});
