import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '@holdfast/core';
import { Hands } from '../consume/hands.ts';
import { resolveSubscribeOptions } from '../consume/subscribe-options.ts';
import type { KafkaMessage } from './module.ts';
import { PartitionLanes } from './partition-lanes.ts';
import { holdfastLayout } from './records.ts';

test('a member that the group does without begins nothing more, also when it is counted on again', async () => {
  const { give, happened, lanes, membership } = begin();
  await give(0, 0n);
  membership.alive = false;
  await give(1, 0n);
  await settled();
  membership.alive = true;
  await give(1, 1n);
  await lanes.end();

  assert.deepEqual(happened, ['t/0/0', 'lost', 'committed 0']);
});

test('what is at work when the group is shared out anew is finished and committed; what comes meanwhile comes again', async () => {
  const working = Promise.withResolvers<void>();
  const { give, happened, lanes } = begin(() => working.promise);
  await give(0, 0n);
  await settled();
  const letGo = lanes.letGo().then(() => happened.push('let go'));
  await give(0, 1n);
  working.resolve();
  await letGo;
  lanes.beginAnew();
  await give(0, 1n);
  await settled();
  await lanes.end();

  assert.deepEqual(happened, ['t/0/0', 'committed 0', 'let go', 't/0/1', 'committed 1']);
});

function begin(work: () => Promise<void> = async () => {}) {
  const happened: string[] = [];
  const handler = async ({ id }: { readonly id: string }) => {
    happened.push(id);
    await work();
  };
  const membership = {
    alive: true,
    isAlive: () => membership.alive,
    lost: () => void happened.push('lost'),
  };
  const options = resolveSubscribeOptions({ group: 'g' });
  const hands = new Hands(handler, options, systemClock);
  const lanes = new PartitionLanes(hands, holdfastLayout.messageOf, membership);
  const give = (partition: number, offset: bigint) => {
    const place = { topic: 't', partition, offset, leaderEpoch: 0, timestamp: 0n };
    const record: KafkaMessage = { ...place, key: null, value: null, headers: new Map() };
    const commit = async () => void happened.push(`committed ${offset}`);
    return lanes.give(record, commit, { readAhead: 2 });
  };
  return { give, happened, lanes, membership };
}

/** Nothing in it waits for a timer. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
