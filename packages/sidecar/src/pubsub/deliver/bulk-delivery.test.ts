import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { pipeline, timeout } from '@holdfast/core';
import { VirtualClock } from '@holdfast/core/testing';
import { createLogger } from '@holdfast/telemetry/log';
import { programmatic } from '../subscribe/subscription.ts';
import { deliverBulk } from './bulk-delivery.ts';
import type { Courier } from './courier.ts';
import type { DeliveryOptions } from './delivery.ts';

/** What the two makes have in common is in tests/conformance/pubsub/bulk-subscribe.test.ts. */
describe('delivering many events at once', () => {
  test('dead letters that cannot be published go back to the broker, dropped ones too', async () => {
    const { deliver } = bench({
      says: { a: 'SUCCESS', b: 'DROP', c: 'RETRY' },
      deadLetters: 'down',
    });
    assert.deepEqual(await deliver(['a', 'b', 'c']), {
      failed: { b: 'the broker is down', c: 'the broker is down' },
      counted: { success: 1, drop: 1, retry: 1 },
    });
  });

  test('an event that cannot be read fails alone', async () => {
    const { deliver } = bench({ says: { a: 'SUCCESS' } });
    const { failed } = await deliver(['a', '{broken']);
    assert.deepEqual(Object.keys(failed), ['{broken']);
  });

  test('an answer that comes too late has no say', async () => {
    const clock = new VirtualClock();
    const { deliver } = bench({ clock, says: { a: 'SUCCESS' }, takesMs: 500, limitMs: 100 });
    const { failed } = await clock.run(async () => {
      const result = await deliver(['a']);
      await clock.sleep(1_000);
      return result;
    });
    assert.match(failed.a!, /100 ms/);
  });
});

interface Scene {
  readonly says: Readonly<Record<string, string>>;
  readonly deadLetters?: 'none' | 'down';
  readonly clock?: VirtualClock;
  readonly takesMs?: number;
  readonly limitMs?: number;
}

/** Delivers events whose data are given, and tells which failed, why, and how all were counted. */
function bench(scene: Scene) {
  const { clock = new VirtualClock(), deadLetters = 'none', limitMs, says, takesMs = 0 } = scene;
  const wanted = { pubsubname: 'p', topic: 't', route: '/take' };
  const dead = deadLetters === 'down' ? { deadLetterTopic: 'dead' } : {};
  const [subscription] = programmatic([{ ...wanted, ...dead }]).subscriptions;
  const courier: Courier = {
    countsDropAs: 'success',
    bring: () => assert.fail('not one by one'),
    async bringBulk({ entries }) {
      if (takesMs > 0) await clock.sleep(takesMs);
      return new Map(entries.map(({ entryId }) => [entryId, says[entryId] ?? '']));
    },
  };
  const policies =
    limitMs === undefined
      ? undefined
      : pipeline('inbound', [timeout({ limitMs })], { clock, registry: undefined });
  let counted: unknown;
  const options: DeliveryOptions = {
    courier,
    clock,
    log: createLogger({ write: () => {} }),
    inbound: () => policies,
    ended: () => false,
    async bury() {
      throw new Error('the broker is down');
    },
    count: () => {},
    countBulk(_pubsub, _topic, entries) {
      counted = entries;
    },
  };
  const asMessage = (data: string) => ({
    entryId: data,
    message: {
      data: Buffer.from(data.startsWith('{') ? data : JSON.stringify({ id: data })),
      metadata: {},
    },
  });
  return {
    async deliver(all: readonly string[]) {
      const failed = await deliverBulk(subscription!, all.map(asMessage), options);
      return {
        failed: Object.fromEntries([...failed].map(([id, { message }]) => [id, message])),
        counted,
      };
    },
  };
}
