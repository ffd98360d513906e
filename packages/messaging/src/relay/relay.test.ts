import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { circuitBreaker, pipeline, retry } from '@holdfast/core';
import { seededRandom, VirtualClock } from '@holdfast/core/testing';
import { memoryStore } from '../memory-store.ts';
import type { NewMessage } from '../message.ts';
import { openOutbox } from '../outbox.ts';
import { type MemoryBroker, memoryBroker } from '../testing/memory-broker.ts';
import type { RelayEvent } from './events.ts';
import type { RelayOptions } from './options.ts';
import type { Relay } from './relay.ts';

describe('relay', () => {
  test('hands over what waits, in the order accepted, and what comes later at once', async () => {
    const { published, stats } = await runRelay(async ({ accept, clock }) => {
      await accept('a', 'b');
      await clock.sleep(10);
      await accept('c');
      await clock.sleep(10);
    });

    assert.deepEqual(published, ['a', 'b', 'c']);
    assert.deepEqual([stats.queued, stats.successful], [0, 3]);
  });

  test('a backlog that a store and a broker of this process are through without a pause holds nobody else up', async (t) => {
    const outbox = await openOutbox({ store: memoryStore() });
    t.after(() => outbox.close());
    await outbox.accept(
      Array.from({ length: 100 }, (_, n) => ({ id: `m${n}`, topic: 'events', body: 'x' })),
    );
    let turns = 0;
    const count = () => {
      turns += 1;
      next = setImmediate(count);
    };
    let next = setImmediate(count);
    t.after(() => clearImmediate(next));
    const seen: number[] = [];
    const broker: MemoryBroker = {
      ...memoryBroker(),
      async publish() {
        seen.push(turns);
        const endMs = performance.now() + 12;
        while (performance.now() < endMs);
      },
    };

    outbox.relay(broker, { batchSize: 10 });
    while ((await outbox.stats()).queued > 0) await new Promise((resolve) => setImmediate(resolve));

    assert.equal(new Set(seen).size, 10, `a turn between any two batches, not ${seen}`);
  });

  test('does not hammer a broker that is down, and is back within seconds of its return', async () => {
    const seen = await runRelay(async ({ accept, broker, clock }) => {
      broker.become('down');
      await accept('a', 'b');
      await clock.sleep(600_000);
      const attemptsIn10Minutes = broker.attempts;
      broker.become('up');
      await clock.sleep(7_500);
      return { attemptsIn10Minutes };
    });

    // The circuit lets one attempt through every two seconds.
    assert.ok(
      seen.result.attemptsIn10Minutes <= 310,
      `${seen.result.attemptsIn10Minutes} attempts`,
    );
    assert.ok(
      seen.result.attemptsIn10Minutes >= 100,
      `${seen.result.attemptsIn10Minutes} attempts`,
    );
    assert.deepEqual(seen.published, ['a', 'b']);
    assert.deepEqual([seen.stats.dead, seen.stats.successful], [0, 2]);
  });

  test('a listener that throws decides nothing: at the first outage it ended the relay, and the process', async () => {
    const heard: string[] = [];
    const onEvent = ({ type }: RelayEvent) => {
      heard.push(type);
      throw new Error('a listener with a mistake');
    };
    const { published, state } = await runRelay(
      async ({ accept, broker, clock }) => {
        broker.become('down');
        await accept('a');
        await clock.sleep(1_000);
        broker.become('up');
        await clock.sleep(60_000);
      },
      { onEvent },
    );

    assert.deepEqual([published, state], [['a'], 'stopped']);
    assert.deepEqual([...new Set(heard)], ['paused', 'published']);
  });

  test('an outage, however long, kills no message', async () => {
    const { stats } = await runRelay(async ({ accept, broker, clock }) => {
      broker.become('down');
      await accept(...Array.from({ length: 20 }, (_, n) => `m${n}`));
      // Thousands of attempts, of which five would do.
      await clock.sleep(4 * 3_600_000);
    });

    assert.deepEqual([stats.queued, stats.dead], [20, 0]);
  });

  test('the order of a key is kept through failures', async () => {
    const { published } = await runRelay(async ({ outbox, broker, clock }) => {
      let calls = 0;
      broker.chokeOn(() => ++calls % 7 < 3);
      for (let n = 0; n < 30; n += 1) {
        await outbox.accept([{ topic: 'events', key: `k${n % 3}`, id: `${n}`, body: '' }]);
      }
      await clock.sleep(600_000);
    });

    for (const rest of [0, 1, 2]) {
      const ofKey = published.map(Number).filter((n) => n % 3 === rest);
      assert.deepEqual(
        [...new Set(ofKey)],
        Array.from({ length: 10 }, (_, n) => n * 3 + rest),
      );
    }
  });

  test('a message the broker refuses for good is dead at once; the others of its batch go through', async () => {
    const { published, stats, events } = await runRelay(async ({ accept, broker, clock }) => {
      broker.refuseIf(({ id }) => (id === 'bad' ? 'too large' : undefined));
      await accept('a', 'bad', 'b');
      await clock.sleep(100);
    });

    assert.deepEqual(published, ['a', 'b']);
    assert.deepEqual([stats.dead, stats.successful], [1, 2]);
    assert.deepEqual(
      events.filter(({ type }) => type === 'died'),
      [{ type: 'died', id: 'bad', reason: 'too large' }],
    );
  });

  test('a message that fails while others go through is poison, and dies after five strikes', async () => {
    const { published, result, stats } = await runRelay(
      async ({ accept, outbox, broker, clock }) => {
        broker.chokeOn(({ id }) => id === 'poison');
        await accept('poison');
        for (let n = 0; n < 200; n += 1) {
          await accept(`m${n}`);
          await clock.sleep(1_000);
        }
        return outbox.dead.list();
      },
    );

    assert.equal(published.length, 200);
    assert.equal(stats.dead, 1);
    assert.match(
      result.letters[0]?.reason ?? '',
      /^failed 5 times while other messages went through; last: BrokerUnavailableError: /,
    );
  });

  test('the reason of a message that died is what the broker said, not that a circuit refused its retry', async () => {
    const clock = new VirtualClock();
    const given = pipeline(
      'hasty',
      [
        retry({ maxRetries: 1, delayMs: 10 }),
        circuitBreaker({ consecutiveFailures: 1, openMs: 500 }),
      ],
      { clock, registry: undefined },
    );
    const { result } = await runRelay(
      async ({ accept, outbox, broker, clock }) => {
        broker.chokeOn(({ id }) => id === 'poison');
        await accept('poison');
        for (let n = 0; n < 200; n += 1) {
          await accept(`m${n}`);
          await clock.sleep(1_000);
        }
        return outbox.dead.list();
      },
      { clock, pipeline: given },
    );

    assert.deepEqual(
      result.letters.map(({ reason }) => /last: (\w+)/.exec(reason)?.[1]),
      ['BrokerUnavailableError'],
    );
  });

  test('poison in the middle of a batch does not hold up the rest of it for long', async () => {
    const { published, stats } = await runRelay(async ({ accept, broker, clock }) => {
      broker.chokeOn(({ id }) => id === 'poison');
      await accept('a', 'b', 'poison', 'c', 'd');
      for (let n = 0; n < 30; n += 1) {
        await clock.sleep(10_000);
        await accept(`m${n}`);
      }
      await clock.sleep(60_000);
    });

    assert.deepEqual(published.slice(0, 4).toSorted(), ['a', 'b', 'c', 'd']);
    assert.deepEqual([stats.dead, stats.queued], [1, 0]);
  });

  test('a publish that is never answered is cut off and sent again with the same id', async () => {
    const { published, stats } = await runRelay(async ({ accept, broker, clock }) => {
      broker.become('silent');
      await accept('a');
      await clock.sleep(15_000);
      broker.become('up');
      await clock.sleep(60_000);
    });

    assert.ok(published.length > 1, 'sent more than once');
    assert.deepEqual([...new Set(published)], ['a']);
    assert.equal(stats.successful, 1);
  });

  test('a batch that takes longer than its lease is renewed, so no second relay sends it too', async () => {
    const { published } = await runRelay(
      async ({ accept, outbox, broker, clock }) => {
        const slow: MemoryBroker = {
          ...broker,
          async publish(messages) {
            await clock.sleep(3_000);
            await broker.publish(messages);
          },
        };
        await accept('a');
        const second = outbox.relay(slow, { name: 'second', leaseMs: 1_000 });
        await clock.sleep(5_000);
        await second.stop();
      },
      { leaseMs: 1_000, startLater: true },
    );

    assert.deepEqual(published, ['a']);
  });

  test('stopping finishes the batch in flight', async () => {
    const { published, stats } = await runRelay(async ({ accept }) => {
      await accept('a', 'b');
      await new Promise((resolve) => setImmediate(resolve));
    });

    assert.deepEqual([published.length, stats.queued], [2, 0]);
  });

  test('stopping gives back what the broker does not answer', async () => {
    const { stats, state } = await runRelay(async ({ accept, broker, clock }) => {
      broker.become('silent');
      await accept('a');
      await clock.sleep(1_000);
    });

    assert.deepEqual([stats.queued, stats.successful, state], [1, 0, 'stopped']);
  });

  test('takes a pipeline that was handed in', async () => {
    const clock = new VirtualClock();
    const given = pipeline('mine', [], { clock, registry: undefined });
    const { published, relay } = await runRelay(
      async ({ accept }) => {
        await accept('a');
        await clock.sleep(10);
      },
      { pipeline: given, clock },
    );

    assert.deepEqual([published, relay.inspect().pipeline], [['a'], given]);
  });

  test('options that cannot work are refused, naming the culprit', async () => {
    const outbox = await openOutbox({ store: memoryStore() });
    assert.throws(() => outbox.relay(memoryBroker(), { batchSize: 0 }), {
      name: 'RangeError',
      message: 'relay.batchSize must be a whole number from 1 to 10000, not 0.',
    });
  });
});

interface Scene {
  readonly clock: VirtualClock;
  readonly broker: MemoryBroker;
  readonly outbox: Awaited<ReturnType<typeof openOutbox>>;
  readonly accept: (...ids: readonly string[]) => Promise<unknown>;
}

/** Runs a relay in virtual time through `play`, stops it, and says what happened. */
async function runRelay<T>(
  play: (scene: Scene) => Promise<T>,
  { startLater = false, ...options }: RelayOptions & { readonly startLater?: boolean } = {},
) {
  const clock = options.clock instanceof VirtualClock ? options.clock : new VirtualClock();
  const broker = memoryBroker({ clock });
  const outbox = await openOutbox({ store: memoryStore({ clock }), clock });
  const events: RelayEvent[] = [];
  const accept = (...ids: readonly string[]) =>
    outbox.accept(ids.map((id): NewMessage => ({ id, topic: 'events', body: id })));
  const begin = () =>
    outbox.relay(broker, {
      random: seededRandom(1),
      onEvent: (event) => events.push(event),
      ...options,
    });

  return clock.run(async () => {
    let relay: Relay | undefined = startLater ? undefined : begin();
    const result = await play({ clock, broker, outbox, accept });
    relay ??= begin();
    await relay.stop();
    const published = broker.published.map(({ id }) => id);
    const stats = await outbox.stats();
    return { result, published, stats, events, relay, state: relay.inspect().state };
  });
}
