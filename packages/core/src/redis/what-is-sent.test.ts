import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { redisCacheStore, redisCircuitStore, redisRateStore } from './index.ts';

const RULE = {
  algorithm: 'token-bucket',
  limit: 1,
  intervalMs: 1_000,
  burst: 1,
  maxWaitMs: 0,
} as const;
const REPORT = {
  node: 'a',
  failing: false,
  era: 0,
  leaseMs: 3_000.2,
  openMs: 100.5,
  probeMs: 0.1,
  quorum: { nodes: 2, ratio: 0.5 },
};

describe('what the stores of Redis send', () => {
  test('goes to keys of their own, unless they are told to use others', async () => {
    const { client, keys } = clientThat(() => null);
    await redisCacheStore(client).get('k');
    await redisCacheStore(client, { prefix: 'mine:' }).get('k');
    await redisCacheStore(client).delete('k');
    for (const options of [{}, { prefix: 'mine:' }]) {
      await Promise.resolve(redisRateStore(client, options).take('k', RULE)).catch(() => {});
      await Promise.resolve(redisCircuitStore(client, options).exchange('k', REPORT)).catch(
        () => {},
      );
    }
    assert.deepEqual(keys, [
      'holdfast:cache:k',
      'mine:k',
      'holdfast:cache:k',
      'holdfast:rate:token-bucket:k',
      'holdfast:circuit:k',
      'mine:token-bucket:k',
      'mine:k',
    ]);
  });

  test('is whole milliseconds: of an answer those that are over, of a circuit those that are begun', async () => {
    const { client, sent } = clientThat(() => [1, 0, 0, 1, 0, 0]);
    const store = redisCacheStore(client);
    for (const keepMs of [0.9, 1, 2.7]) await store.set('k', 'v', keepMs);
    await store.set('k', undefined, 1_000);
    await redisCircuitStore(client).exchange('k', REPORT);
    assert.deepEqual(sent, [
      ['"v"', 1],
      ['"v"', 2],
      ['a', 0, 0, 3_001, 101, 2, 0.5, 1, '', 1_000],
    ]);
  });

  test('is refused where it was written: a prefix that is none, what cannot make text', () => {
    const { client } = clientThat(() => null);
    const refused = (make: () => unknown) => {
      try {
        return make();
      } catch (error) {
        return (error as Error).message;
      }
    };
    assert.deepEqual(
      [
        ...[redisCacheStore, redisCircuitStore, redisRateStore].map((make) =>
          refused(() => make(client, { prefix: '' })),
        ),
        refused(() => redisCacheStore(client, { serialize: 1 as never })),
        refused(() => redisCacheStore(client, { parse: 1 as never })),
      ],
      [
        'redisCacheStore.prefix must be a string that is not empty, not "".',
        'redisCircuitStore.prefix must be a string that is not empty, not "".',
        'redisRateStore.prefix must be a string that is not empty, not "".',
        'redisCacheStore.serialize must be a function, not 1.',
        'redisCacheStore.parse must be a function, not 1.',
      ],
    );
  });

  test('and is answered with nonsense, ends in an error that shows it', async () => {
    for (const answer of [null, 'OK', [], [1, 0, 0, 1, 0], [1, 0, 0, 1, 0, 0, 0]]) {
      const { client } = clientThat(() => answer);
      await assert.rejects(async () => redisCircuitStore(client).exchange('k', REPORT), {
        name: 'TypeError',
        message: `Redis answered a circuit's exchange with ${JSON.stringify(answer)}.`,
      });
    }
  });
});

/** A client without a Redis, with what it was given: keys, and what came after them. */
function clientThat(answers: () => unknown) {
  const keys: unknown[] = [];
  const sent: unknown[][] = [];
  const client = {
    async eval(
      _script: string,
      _count: number,
      key: string | number,
      ...rest: (string | number)[]
    ) {
      keys.push(key);
      sent.push(rest);
      return answers();
    },
  };
  return { client, keys, sent };
}
