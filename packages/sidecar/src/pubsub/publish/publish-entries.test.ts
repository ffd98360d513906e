import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { circuitBreaker, pipeline, retry, timeout } from '@holdfast/core';
import { VirtualClock } from '@holdfast/core/testing';
import { MessageRefusedError, type PubSub } from '../pubsub.ts';
import { publishEntries } from './publish-entries.ts';

describe('publishing many events in one go', () => {
  test('a retry sends what failed, and not again what the broker has', async () => {
    const { publish, sent } = bench({ failing: { b: 1 } }, [again]);
    assert.deepEqual([await publish(['a', 'b', 'c']), sent], [[], ['a b c', 'b']]);
  });

  test('what failed to the end has the error of its own', async () => {
    const { publish } = bench({ failing: { a: 9, c: 9 } }, [again]);
    assert.deepEqual(await publish(['a', 'b', 'c']), [
      { entryId: 'a', error: 'no room for a' },
      { entryId: 'c', error: 'no room for c' },
    ]);
  });

  test('what the broker will never take is not tried again', async () => {
    const { publish, sent } = bench({ refused: 'b' }, [again]);
    assert.deepEqual(
      [await publish(['a', 'b']), sent],
      [[{ entryId: 'b', error: 'too large' }], ['a b']],
    );
  });

  test('a refusal of a policy is the last word for what is left', async () => {
    const { publish } = bench({ failing: { b: 9, c: 9 } }, [
      again,
      circuitBreaker({ consecutiveFailures: 1, openMs: 10_000 }),
    ]);
    assert.deepEqual(await publish(['a', 'b', 'c']), [
      { entryId: 'b', error: 'circuit breaker is open' },
      { entryId: 'c', error: 'circuit breaker is open' },
    ]);
  });

  test('a broker that does not answer in time has none of them', async () => {
    const { publish } = bench({ takesMs: 500 }, [timeout({ limitMs: 100 })]);
    assert.deepEqual(await publish(['a', 'b']), [
      { entryId: 'a', error: 'context deadline exceeded' },
      { entryId: 'b', error: 'context deadline exceeded' },
    ]);
  });
});

const again = retry({ maxRetries: 2, delayMs: 10, jitter: 'none' });

interface Behaviour {
  /** How often each of these fails. */
  readonly failing?: Readonly<Record<string, number>>;
  readonly refused?: string;
  readonly takesMs?: number;
}

function bench(
  { failing = {}, refused, takesMs = 0 }: Behaviour,
  policies: Parameters<typeof pipeline>[1],
) {
  const clock = new VirtualClock();
  const left = new Map(Object.entries(failing));
  const sent: string[] = [];
  const broker: PubSub = {
    capabilities: [],
    publish: () => assert.fail('not one by one'),
    async publishAll(_topic, messages) {
      const texts = messages.map(({ data }) => String(data));
      sent.push(texts.join(' '));
      if (takesMs > 0) await clock.sleep(takesMs);
      return texts.map((text) => {
        const failures = left.get(text) ?? 0;
        left.set(text, failures - 1);
        if (text === refused) return new MessageRefusedError('too large');
        return failures > 0 ? new Error(`no room for ${text}`) : undefined;
      });
    },
    subscribe: async () => ({ close: async () => {} }),
    async drain() {},
    async close() {},
  };
  const behind = pipeline('outbound', policies, { clock, registry: undefined });
  return {
    sent,
    publish: (ids: readonly string[]) =>
      clock.run(() =>
        publishEntries(
          broker,
          't',
          ids.map((entryId) => ({
            entryId,
            message: { data: Buffer.from(entryId), metadata: {} },
          })),
          { bulk: {}, call: (work) => behind.execute((call) => work(call)) },
        ),
      ),
  };
}
