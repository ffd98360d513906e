import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type RedisServer, redisServer, suiteWith } from '@holdfast/test-servers';
import { Redis } from 'ioredis';
import { bothMakes, type Make } from '../makes/both-makes.ts';
import { type Flagged, startFlagged } from '../makes/flagged.ts';
import { storeOf } from './store-of.ts';

/** `keyPrefix` as YAML has it, and what stands before a key then; `~`: the item is not there. */
const PREFIXES: readonly (readonly [given: string | undefined, before: string])[] = [
  [undefined, 'probe||'],
  ['""', '||'],
  ['~', '||'],
  ['" "', ' ||'],
  ['appid', 'probe||'],
  ['APPID', 'probe||'],
  ['Name', 'Store6||'],
  ['NAMESPACE', 'shop.probe||'],
  ['NONE', ''],
  ['" none"', ' none||'],
  ['MyOwn', 'myown||'],
  ['ÜNÏ', 'ünï||'],
  ['"{appID}-X"', 'probe-x||'],
  ['5', '5||'],
  ['yes', 'true||'],
  ['"a|"', 'a|||'],
  ['{ b: "<", A: [x] }', '{"a":["x"],"b":"\\u003c"}||'],
];

await suiteWith('prefixes of keys', redisServer, async (redis) => {
  await bothMakes((make, executable) => conformance(make, executable, redis));
});

/** Stores are shared, so that a key must be the same bytes with both. */
function conformance(make: Make, executable: string | undefined, redis: RedisServer): void {
  describe(`${make}, keyPrefix`, () => {
    let sidecar: Flagged;
    let client: Redis;
    before(async () => {
      client = new Redis(redis.port, '127.0.0.1');
      await client.flushall();
      sidecar = await startFlagged(executable, {
        flags: {},
        env: { NAMESPACE: 'shop' },
        resources: { 'stores.yaml': stores(redis.port) },
      });
    });
    after(async () => {
      client?.disconnect();
      await sidecar?.stop();
    });

    test('is what stands before a key', async () => {
      for (const index of PREFIXES.keys()) {
        await storeOf(sidecar.ports.http, `Store${index}`).save([{ key: `k${index}.`, value: 1 }]);
      }
      const keys = await client.keys('*');
      assert.deepEqual(
        PREFIXES.map(([given], index) => [given, keys.find((key) => key.endsWith(`k${index}.`))]),
        PREFIXES.map(([given, prefix], index) => [given, `${prefix}k${index}.`]),
      );
    });
  });
}

const stores = (port: number): string =>
  PREFIXES.map(
    ([given], index) => `apiVersion: dapr.io/v1alpha1
kind: Component
metadata: { name: Store${index} }
spec:
  type: state.redis
  version: v1
  metadata:
    - { name: redisHost, value: "127.0.0.1:${port}" }
    ${given === undefined ? '' : `- { name: keyPrefix, value: ${given} }`}
`,
  ).join('---\n');
