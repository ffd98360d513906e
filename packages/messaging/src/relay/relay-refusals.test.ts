import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { seededRandom, VirtualClock } from '@holdfast/core/testing';
import type { Broker } from '../broker.ts';
import { BrokerRejectedError, StoreUnavailableError } from '../errors.ts';
import { memoryStore } from '../memory-store.ts';
import { openOutbox } from '../outbox.ts';
import type { MessageStore } from '../store.ts';
import { memoryBroker } from '../testing/memory-broker.ts';

describe('relay, when only a part goes through', () => {
  test('what was taken beside a refused message is not sent again', async () => {
    const sent: string[] = [];
    const { stats } = await runWith(({ broker }) => ({
      ...broker,
      async publish(messages) {
        sent.push(...messages.map(({ id }) => id));
        const taken = new Set(messages.map(({ id }) => id).filter((id) => id !== 'bad'));
        if (taken.size === messages.length) return;
        throw new BrokerRejectedError({ rejected: new Map([['bad', 'too large']]), taken });
      },
    }));

    assert.deepEqual(sent, ['a', 'bad', 'b']);
    assert.deepEqual([stats.successful, stats.dead, stats.queued], [2, 1, 0]);
  });

  test('a message nobody has subscribed to waits without holding up the others, and does not die', async () => {
    let subscribed = false;
    const attempts: number[] = [];
    const { stats, clock, outbox, circuit } = await runWith(({ broker, clock }) => ({
      ...broker,
      async publish(messages) {
        const lonely = messages.filter(({ id }) => id === 'bad' && !subscribed);
        if (lonely.length === 0) return;
        attempts.push(clock.now());
        const taken = new Set(messages.map(({ id }) => id).filter((id) => id !== 'bad'));
        throw new BrokerRejectedError({ postponed: new Map([['bad', 'nobody']]), taken });
      },
    }));
    assert.deepEqual([stats.successful, stats.dead, stats.queued, circuit], [2, 0, 1, 'closed']);

    subscribed = true;
    await clock.advance(6_000);
    assert.equal((await outbox.stats()).successful, 3);
    await clock.run(() => outbox.close());
  });

  test('a message that was acknowledged while the disk was full is marked later, and not sent twice', async () => {
    let failures = 3;
    const store = (real: MessageStore): MessageStore => ({
      ...real,
      async complete(leases) {
        if (failures-- > 0) throw new StoreUnavailableError('outbox.db has no room to grow.', 250);
        return real.complete(leases);
      },
    });
    const broker = memoryBroker();
    const { stats } = await runWith(() => broker, store);

    assert.deepEqual(
      broker.published.map(({ id }) => id),
      ['a', 'bad', 'b'],
    );
    assert.deepEqual([stats.successful, stats.queued], [3, 0]);
  });

  test('a store that cannot be read pauses the relay, which goes on when it can', async () => {
    let failures = 5;
    const store = (real: MessageStore): MessageStore => ({
      ...real,
      async lease(limit, leaseMs) {
        if (failures-- > 0) throw new StoreUnavailableError('outbox.db is locked.', 100);
        return real.lease(limit, leaseMs);
      },
    });
    const { stats } = await runWith(({ broker }) => broker, store);

    assert.equal(stats.successful, 3);
  });
});

/** Lets a relay work for a minute of virtual time on three messages, one of them called `bad`. */
async function runWith(
  brokerOf: (world: { broker: Broker; clock: VirtualClock }) => Broker,
  storeOf: (real: MessageStore) => MessageStore = (real) => real,
) {
  const clock = new VirtualClock();
  const outbox = await openOutbox({ store: storeOf(memoryStore({ clock })), clock });
  const broker = brokerOf({ broker: memoryBroker({ clock }), clock });
  await outbox.accept(['a', 'bad', 'b'].map((id) => ({ id, topic: 'events', body: id })));
  return clock.run(async () => {
    const relay = outbox.relay(broker, { random: seededRandom(1) });
    await clock.sleep(60_000);
    const [retry, circuit] = relay.inspect().pipeline.inspect().policies;
    assert.equal(retry?.kind, 'retry');
    return { stats: await outbox.stats(), clock, outbox, circuit: circuit?.circuit?.state };
  });
}
