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
});

const message = (text: string) => ({ data: Buffer.from(text), metadata: {} });

function bench({ thereAtMs }: { readonly thereAtMs: number }) {
  const clock = new VirtualClock();
  const taken: string[] = [];
  let attempts = 0;
  const open = async (): Promise<PubSub> => {
    attempts += 1;
    if (clock.now() < thereAtMs) throw new Error('not yet');
    return memoryPubSub(() => {});
  };
  const log = createLogger({ write: () => {} });
  return {
    clock,
    attempts: () => attempts,
    broker: latePubSub(open, new Error('not yet'), { clock, component: 'p', log }),
    texts: { taken, take: async ({ data }: { data: Buffer }) => void taken.push(String(data)) },
  };
}
