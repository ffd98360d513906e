import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VirtualClock } from '@holdfast/core/testing';
import { InHand } from './in-hand.ts';

test('says at intervals what is in hand, until it is acknowledged', async () => {
  const { clock, inHand, log, message } = hand(100);
  const [a, b] = [message('a'), message('b')];

  inHand.add(a);
  await clock.advance(50);
  inHand.add(b);
  await clock.advance(60);
  inHand.acknowledge(a);
  await clock.advance(100);
  inHand.acknowledge(b);
  await clock.advance(1_000);

  assert.deepEqual(log, [
    '100 working a',
    '100 working b',
    '110 ack a',
    '200 working b',
    '210 ack b',
  ]);
});

test('gives back what was not handled, and says nothing after its end', async () => {
  const { clock, inHand, log, message } = hand(100);
  const [a, b] = [message('a'), message('b')];
  inHand.add(a);
  inHand.add(b);

  inHand.acknowledge(a);
  inHand.giveBack();
  inHand.stop();
  inHand.acknowledge(b);
  await clock.advance(1_000);

  assert.deepEqual([log, inHand.count], [['0 ack a', '0 nak b'], 0]);
});

test('tells when there is room', async () => {
  const { clock, inHand, log, message } = hand(100);
  const [a, b] = [message('a'), message('b')];
  inHand.add(a);
  inHand.add(b);

  const room = inHand.fewerThan(1).then(() => log.push('room'));
  inHand.acknowledge(a);
  await clock.advance(0);
  inHand.acknowledge(b);
  await room;

  assert.deepEqual(log, ['0 ack a', '0 ack b', 'room']);
});

test('keeps nobody waiting for room who is no longer to wait', async () => {
  const { inHand, log, message } = hand(100);
  inHand.add(message('a'));

  const room = inHand.fewerThan(1).then(() => log.push('let go'));
  inHand.wake();
  await room;
  inHand.stop();

  assert.deepEqual(log, ['let go']);
});

test('postpones what was not taken, once', () => {
  const { inHand, log, message } = hand(100);
  const a = message('a');
  inHand.add(a);

  inHand.postpone(a, 250);
  inHand.acknowledge(a);

  assert.deepEqual([log, inHand.count], [['0 nak a in 250'], 0]);
});

function hand(intervalMs: number) {
  const clock = new VirtualClock();
  const log: string[] = [];
  return {
    clock,
    log,
    inHand: new InHand(clock, intervalMs),
    message: (id: string) => ({
      ack: () => void log.push(`${clock.now()} ack ${id}`),
      nak: (ms?: number) =>
        void log.push(`${clock.now()} nak ${id}${ms === undefined ? '' : ` in ${ms}`}`),
      working: () => void log.push(`${clock.now()} working ${id}`),
    }),
  };
}
