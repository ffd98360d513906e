import assert from 'node:assert/strict';
import { test } from 'node:test';
import { memoryStore } from '../memory-store.ts';
import type { IncomingMessage } from '../message.ts';
import { openOutbox } from '../outbox.ts';
import { eventually } from '../testing/eventually.ts';
import { memoryBroker } from '../testing/memory-broker.ts';

test('the example of docs/operating/dead-letters.md: what a subscriber gives up is a dead letter', async (t) => {
  const { broker, outbox } = await begin(t);
  const bill = async () => {
    throw new RangeError('-12 is no amount');
  };
  await broker.subscribe(
    'orders',
    { group: 'billing', giveUp: { after: 5, to: outbox.dead.keep } },
    bill,
  );
  await outbox.accept([{ id: 'order-17', topic: 'orders', body: '-12' }]);
  const find = () => outbox.dead.find('order-17');
  const letter = await eventually(find, (found) => found !== undefined, 'it is dead');

  assert.equal(letter?.deliveries, 5);
  assert.match(letter.reason, /^failed 5 times; last: RangeError: -12 is no amount\n {4}at bill /);
});

test('given up by two groups it is one letter with both in its history; a second death after a replay says so', async (t) => {
  const { outbox } = await begin(t);
  const given = (group: string) => ({ group, deliveries: 5, reason: 'no\n    at x', history: [] });
  await outbox.dead.keep(incoming(), new Error('no'), given('billing'));
  await outbox.dead.keep(incoming(), new Error('no'), given('shipping'));
  const first = await outbox.dead.find('m');
  await outbox.dead.discard(['m']);
  const replayed = { ...incoming(), headers: first!.message.headers };
  await outbox.dead.keep(replayed, new Error('no'), given('billing'));
  const second = await outbox.dead.find('m');

  const plain = (letter = first) => letter?.history.map(({ what, detail }) => `${what} ${detail}`);
  assert.deepEqual(plain(), [
    'died group billing: no',
    'edited died once more; group shipping: no',
  ]);
  assert.deepEqual([first?.replays, second?.replays], [0, 1]);
  assert.deepEqual(plain(second), ['died before, and was replayed', 'died group billing: no']);
});

test('one whose relay has not marked it yet is no dead letter, and comes again', async (t) => {
  const { outbox } = await begin(t, false);
  await outbox.accept([{ id: 'm', topic: 'orders', body: 'x' }]);

  await assert.rejects(outbox.dead.keep(incoming(), new Error('no')), {
    message: '"m" is still queued here, and can be no dead letter yet',
  });
  assert.equal((await outbox.stats()).queued, 1);
});

test('kept by hand, with an error alone, a letter has reason and stack', async (t) => {
  const { outbox } = await begin(t);
  await outbox.dead.keep(incoming(), new Error('no'));

  const letter = await outbox.dead.find('m');
  assert.match(letter?.reason ?? '', /^given up: Error: no\n {4}at /);
  assert.equal(letter?.deliveries, 3);
});

async function begin(t: { after(done: () => Promise<void>): void }, relayed = true) {
  const outbox = await openOutbox({ store: memoryStore() });
  const broker = memoryBroker();
  if (relayed) outbox.relay(broker);
  t.after(async () => {
    await outbox.close();
    await broker.close();
  });
  return { broker, outbox };
}

function incoming(): IncomingMessage {
  return { id: 'm', topic: 'orders', key: 'k', headers: {}, body: Buffer.from('x'), delivery: 3 };
}
