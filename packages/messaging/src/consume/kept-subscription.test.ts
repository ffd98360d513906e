import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { VirtualClock } from '@holdfast/core/testing';
import { KeptSubscription } from './kept-subscription.ts';
import { resolveSubscribeOptions } from './subscribe-options.ts';

class Refusal extends Error {}

describe('a subscription that is kept', () => {
  test('consumes anew after each loss, later each time, and from the beginning after progress', async () => {
    const { clock, kept, seen } = started();
    await clock.run(async () => {
      kept.begin(async (progress) => {
        seen.push(`consumes at ${clock.now()}`);
        if (clock.now() >= 300) progress();
        if (clock.now() >= 500) return closed(kept);
        throw new Error('it went');
      });
      await clock.sleep(1_000);
      await kept.close();
    });
    assert.deepEqual(seen, [
      'consumes at 0',
      'lost: the broker: it went',
      'consumes at 100',
      'lost: the broker: it went',
      'consumes at 300',
      'lost: the broker: it went',
      'consumes at 400',
      'lost: the broker: it went',
      'consumes at 500',
    ]);
  });

  test('an outage keeps who waits to join waiting; a refusal is told, and tried again all the same', async () => {
    const { clock, kept, seen } = started();
    await clock.run(async () => {
      kept.joined.catch((error: Error) => seen.push(`${error.name}: ${error.message}`));
      kept.begin(async () => {
        if (clock.now() === 0) throw new Error('away');
        if (clock.now() === 100) throw new Refusal('not for you');
        kept.hasJoined();
        await closed(kept);
      });
      await clock.sleep(1_000);
      await kept.close();
    });
    assert.deepEqual(seen, [
      'lost: the broker: away',
      'lost: the broker: not for you',
      'BrokerUnavailableError: the broker: not for you',
    ]);
  });

  test('closing ends the wait for the next try', async () => {
    const { clock, kept, seen } = started();
    await clock.run(async () => {
      kept.begin(() => Promise.reject(new Error('it went')));
      await clock.sleep(50);
      await kept.close();
      seen.push(`closed at ${clock.now()}`);
    });
    assert.deepEqual(seen, ['lost: the broker: it went', 'closed at 50']);
  });

  test('what is lost while it closes is no loss to tell of', async () => {
    const { clock, kept, seen } = started();
    await clock.run(async () => {
      kept.begin(async () => {
        await closed(kept);
        throw new Error('it went');
      });
      await clock.sleep(50);
      await kept.close();
    });
    assert.deepEqual(seen, []);
  });
});

function started() {
  const clock = new VirtualClock();
  const seen: string[] = [];
  const subscribe = resolveSubscribeOptions({
    group: 'g',
    onProblem: (problem) => 'error' in problem && seen.push(`lost: ${messageOf(problem.error)}`),
  });
  const kept = new KeptSubscription({
    clock,
    reconnectMs: 100,
    subscribe,
    lossOf: (cause) => `the broker: ${messageOf(cause)}`,
    isFinal: (cause) => cause instanceof Refusal,
  });
  return { clock, kept, seen };
}

const messageOf = (error: unknown): string => (error as Error).message;

const closed = ({ closing }: KeptSubscription): Promise<void> =>
  new Promise((resolve) => closing.addEventListener('abort', () => resolve(), { once: true }));
