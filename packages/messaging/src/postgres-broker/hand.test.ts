import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Claim, deliveriesOf, Hand } from './hand.ts';

test('a message is begun only while it is ours and goes back after that, and one that is handled is acknowledged once', () => {
  const hand = new Hand(true);
  const [a, b] = [claim('1', 'k'), claim('2', 'other')];
  hand.add(a);
  hand.add(b);

  const begun = [hand.begin(a, 1, 99), hand.begin(b, 1, 100)];
  hand.succeeded(a);
  hand.succeeded(b);

  assert.deepEqual(
    [begun, ids(hand.takeDone()), ids(hand.takeDone()), hand.size, ids(hand.back)],
    [[true, false], ['1'], [], 0, ['2']],
  );
});

test('one that fails keeps its key stuck: those behind it go back, also one that is still on its way', () => {
  const hand = new Hand(true);
  const [first, second, other] = [claim('1', 'k'), claim('2', 'k'), claim('3', 'x')];
  for (const each of [first, second, other]) hand.add(each);
  hand.begin(first, 3, 0);
  hand.failed(first);
  const late = claim('4', 'k');

  const added = hand.add(late);

  assert.deepEqual(
    [added, hand.stuck, ids(hand.back), ids(hand.held), hand.busy],
    [false, ['k'], ['2', '4'], ['1', '3'], 1],
  );
  assert.deepEqual([first, second].map(deliveriesOf), [3, 0]);
});

test('one whose claim is over when it is to be tried again is handed over once more when it is claimed again', () => {
  const hand = new Hand(true);
  const first = claim('1', 'k');
  hand.add(first);
  hand.begin(first, 1, 0);
  hand.failed(first);

  // The database was away for longer than the claim was good for.
  const begun = hand.begin(first, 2, 100);
  const stuck = hand.stuck;
  hand.gaveBack(hand.back);
  const added = hand.add(claim('1', 'k'));

  assert.deepEqual([begun, stuck, added, ids(hand.held)], [false, ['k'], true, ['1']]);
});

test('what is claimed is in hand, handled and not yet acknowledged, or on its way back', () => {
  const hand = new Hand(true);
  const [done, held, back] = [claim('1', 'a'), claim('2', 'b'), claim('3', 'c')];
  for (const each of [done, held]) hand.add(each);
  hand.decline([back]);
  hand.begin(done, 1, 0);
  hand.succeeded(done);
  const before = hand.claimed;
  hand.takeDone();
  hand.gaveBack(hand.back);

  assert.deepEqual([before.toSorted(), hand.claimed], [['1', '2', '3'], ['2']]);
});

test('another message in the place of one in hand is handed over, and the first is not acknowledged in its stead', () => {
  const hand = new Hand(true);
  const before = claim('1', 'k');
  const after = { ...before, message: { ...before.message, id: 'another' } };
  hand.add(before);
  hand.begin(before, 1, 0);

  const added = hand.add(after);
  hand.succeeded(before);
  const done = hand.takeDone();
  hand.begin(after, 1, 0);
  hand.succeeded(after);

  assert.deepEqual([added, done, hand.takeDone()], [true, [], [after]]);
});

test('a key stays stuck until what went back is back, so that nothing overtakes it', () => {
  const hand = new Hand(true);
  const [first, second] = [claim('1', 'k'), claim('2', 'k')];
  hand.add(first);
  hand.add(second);
  hand.begin(first, 1, 0);
  hand.failed(first);
  hand.begin(first, 2, 0);
  const freed = hand.succeeded(first);
  const before = hand.stuck;
  hand.gaveBack(hand.back);

  assert.deepEqual([freed, before, hand.stuck], [true, ['k'], []]);
});

test('what was not renewed is lost, with those of its key that no handler has', () => {
  const hand = new Hand(true);
  const [first, second, third, other] = [
    claim('1', 'k'),
    claim('2', 'k'),
    claim('3', 'k'),
    claim('4', 'x'),
  ];
  for (const each of [first, second, third, other]) hand.add(each);
  hand.begin(first, 1, 0);
  hand.renewed(new Set(['1', '3', '4']), hand.held, 200);

  assert.deepEqual([ids(hand.held), ids(hand.back)], [['1', '4'], ['3']]);
  assert.deepEqual([first.untilMs, other.untilMs], [200, 200]);
  assert.equal(hand.begin(second, 1, 0), false);
});

test('without order one that fails keeps nobody, and a claim of what is in hand makes it ours for longer', () => {
  const hand = new Hand(false);
  const [first, second] = [claim('1', 'k'), claim('2', 'k')];
  hand.add(first);
  hand.add(second);
  hand.begin(first, 1, 0);
  hand.failed(first);

  assert.equal(hand.add({ ...claim('2', 'k'), untilMs: 500 }), false);
  assert.deepEqual([hand.stuck, ids(hand.back), second.untilMs], [[], [], 500]);
});

test('what is declined goes back as if it had not been claimed, unless it is here already', () => {
  const hand = new Hand(true);
  const held = claim('1', 'k');
  hand.add(held);
  const declined = { ...claim('2', 'x'), deliveries: 3 };
  hand.decline([{ ...claim('1', 'k'), untilMs: 500 }, declined]);

  assert.deepEqual(
    [ids(hand.held), held.untilMs, ids(hand.back), hand.back.map(deliveriesOf), hand.stuck],
    [['1'], 500, ['2'], [2], ['x']],
  );
});

test('behind a slow handler all that was not begun goes back', () => {
  const hand = new Hand(false);
  const [slow, waiting] = [claim('1'), claim('2')];
  hand.add(slow);
  hand.add(waiting);
  hand.begin(slow, 1, 0);
  hand.shed();

  assert.deepEqual([ids(hand.held), ids(hand.back), hand.owes], [['1'], ['2'], true]);
});

test('one that was lost in its handler is acknowledged after it, or is the same when it is claimed again; another in its place is not', () => {
  const hand = new Hand(true);
  const [first, second, third] = [claim('1', 'k'), claim('2', 'x'), claim('3', 'y')];
  for (const each of [first, second, third]) {
    hand.add(each);
    hand.begin(each, 1, 0);
    hand.lose(each.seq);
  }
  const another = { ...claim('3', 'y'), message: { ...third.message, id: 'another' } };

  hand.succeeded(first);
  const added = [hand.add(claim('2', 'x')), hand.add(another)];
  hand.succeeded(second);

  assert.deepEqual(
    [added, ids(hand.takeDone())],
    [
      [false, true],
      ['1', '2'],
    ],
  );
});

function claim(seq: string, key?: string): Claim {
  const message = { id: `m${seq}`, topic: 't', key, body: Buffer.from(''), headers: {} };
  return { seq, message, deliveries: 1, untilMs: 100, begun: false };
}

function ids(claims: readonly Claim[]): readonly string[] {
  return claims.map(({ seq }) => seq);
}
