import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { VirtualClock } from '@holdfast/core/testing';
import { createLogger } from '@holdfast/telemetry/log';
import { memoryPubSub } from './brokers/memory-pubsub.ts';
import { latePubSub } from './late-pubsub.ts';
import { publishMany } from './publish/publish-many.ts';
import type { PubSub } from './pubsub.ts';

describe('a broker that is reached later', () => {
  test('takes nothing until then, and has the subscriptions that were waiting', async () => {
    const { broker, clock, texts } = bench({ thereAtMs: 10_000 });
    await clock.run(async () => {
      await broker.subscribe('t', texts.take);
      const early = await publishMany(broker, 't', [message('early')]);
      await clock.sleep(20_000);
      await broker.publish('t', message('late'));
      await clock.sleep(1);
      assert.deepEqual([early[0]?.message, texts.taken], ['not yet', ['late']]);
      await broker.close();
    });
  });

  test('a subscription that ended while it waited is not made', async () => {
    const { broker, clock, texts } = bench({ thereAtMs: 10_000 });
    await clock.run(async () => {
      const listener = await broker.subscribe('t', texts.take);
      await listener.close();
      await clock.sleep(20_000);
      await broker.publish('t', message('late'));
      await clock.sleep(1);
      assert.deepEqual(texts.taken, []);
      await broker.close();
    });
  });

  test('closed before it is reached, it looks no longer', async () => {
    const { attempts, broker, clock } = bench({ thereAtMs: Number.POSITIVE_INFINITY });
    await clock.run(async () => {
      await clock.sleep(60_000);
      await broker.close();
    });
    const before = attempts();
    await clock.advance(60_000);
    // Waits of 0.25, 0.5, 1, 2, 4 s, then of five.
    assert.deepEqual([before, attempts(), clock.pendingTimers], [15, 15, 0]);
  });

  test('is closed once, also where it comes in while it is being closed', async () => {
    const { broker, clock, closed } = bench({ thereAtMs: 100, opensInMs: 5_000 });
    await clock.run(async () => {
      await clock.sleep(300);
      await broker.close();
      await clock.sleep(10_000);
    });
    const onItsWay = closed();
    const reached = bench({ thereAtMs: 100 });
    await reached.clock.run(async () => {
      await reached.clock.sleep(10_000);
      await reached.broker.close();
      await reached.clock.sleep(1);
    });
    assert.deepEqual([onItsWay, reached.closed()], [1, 1]);
  });
});

const message = (text: string) => ({ data: Buffer.from(text), metadata: {} });

function bench({
  thereAtMs,
  opensInMs = 0,
}: {
  readonly thereAtMs: number;
  readonly opensInMs?: number;
}) {
  const clock = new VirtualClock();
  const taken: string[] = [];
  let attempts = 0;
  let closed = 0;
  const open = async (): Promise<PubSub> => {
    attempts += 1;
    if (clock.now() < thereAtMs) throw new Error('not yet');
    await clock.sleep(opensInMs);
    const broker = memoryPubSub(() => {});
    return {
      ...broker,
      async close() {
        closed += 1;
        await broker.close();
      },
    };
  };
  const log = createLogger({ write: () => {} });
  return {
    clock,
    attempts: () => attempts,
    closed: () => closed,
    broker: latePubSub(open, new Error('not yet'), { clock, component: 'p', log }),
    texts: { taken, take: async ({ data }: { data: Buffer }) => void taken.push(String(data)) },
  };
}
