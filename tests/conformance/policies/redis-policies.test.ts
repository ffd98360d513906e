import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type RedisServer, redisServer, suiteWith, until } from '@holdfast/test-servers';
import { Redis } from 'ioredis';
import { bothMakes, type Make } from '../makes/both-makes.ts';
import { type GateTurn, gatedRedis, type RedisGate } from './gated-redis.ts';
import { type PoliciesWorld, policiesWorld } from './policies-world.ts';

const POLICIES = `
timeouts: { quick: 50ms }
retries:
  twice: { policy: constant, duration: 10ms, maxRetries: 2 }
  DefaultConfigurationComponentInboundRetryPolicy: { policy: constant, duration: 10ms, maxRetries: 1 }
circuitBreakers:
  two: { maxRequests: 1, timeout: 60s, trip: "consecutiveFailures >= 2" }
`;

const OPEN = 'circuit breaker is open';
const LATE = 'context deadline exceeded';

/** Components behind gates to a Redis. */
const GATED: readonly (readonly [name: string, type: string, policies?: string])[] = [
  ['config-retry', 'configuration.redis', 'outbound: { retry: twice }'],
  ['config-circuit', 'configuration.redis', 'outbound: { circuitBreaker: two }'],
  ['config-timeout', 'configuration.redis', 'outbound: { timeout: quick }'],
  ['config-in', 'configuration.redis', 'inbound: { retry: twice }'],
  ['config-in-circuit', 'configuration.redis', 'inbound: { circuitBreaker: two }'],
  ['config-in-default', 'configuration.redis'],
  ['lock-retry', 'lock.redis', 'outbound: { retry: twice }'],
  ['lock-circuit', 'lock.redis', 'outbound: { circuitBreaker: two }'],
  ['lock-timeout', 'lock.redis', 'outbound: { timeout: quick }'],
  ['state-retry', 'state.redis', 'outbound: { retry: twice }'],
];

/** What is asked of a component while its Redis does so, with the answers, and what reaches the gate. */
type GatedCase = readonly [
  title: string,
  name: string,
  turns: readonly GateTurn[],
  calls: readonly (readonly [call: string, answer: string])[],
  asked: string,
];

const WHY = 'failed to get [k] from Configuration store NAME: ';
const GET = `500 ERR_CONFIGURATION_GET ${WHY}`;
const RPC = `13 ${WHY}`;
const ERR = 'fail to get configuration for redis key=k, error is ERR on purpose';
const SUBSCRIBE =
  '500 ERR_CONFIGURATION_SUBSCRIBE failed to subscribe [k] from Configuration store NAME: ';
const CONFIGURATION: readonly GatedCase[] = [
  ['is read again', 'config-retry', ['fail', 'fail', 'ok'], [['config', '200']], 'GET GET GET'],
  [
    'is read again over gRPC',
    'config-retry',
    ['fail', 'fail', 'ok'],
    [['grpc config', 'OK']],
    'GET GET GET',
  ],
  ['fails for good', 'config-retry', ['fail'], [['config', `${GET}${ERR}`]], 'GET GET GET'],
  [
    'takes no longer than the timeout',
    'config-timeout',
    ['hang'],
    [
      ['config', `${GET}${LATE}`],
      ['grpc config', `${RPC}${LATE}`],
    ],
    'GET GET',
  ],
  [
    'is neither read nor subscribed to while the circuit is open',
    'config-circuit',
    ['fail'],
    [
      ['config', `${GET}${ERR}`],
      ['grpc config', `${RPC}${ERR}`],
      ['config', `${GET}${OPEN}`],
      ['subscribe', `${SUBSCRIBE}${OPEN}`],
    ],
    'GET GET',
  ],
];

const NOT = 'ERR on purpose';
const TRY = '500 ERR_TRY_LOCK failed to try acquiring lock: ';
const RELEASE = 'failed to release lock: ';
const LOCKS: readonly GatedCase[] = [
  [
    'are tried again',
    'lock-retry',
    ['fail', 'fail', 'ok'],
    [
      ['lock', '200'],
      ['grpc unlock', 'OK'],
    ],
    'SET SET SET EVAL',
  ],
  [
    'fail for good',
    'lock-retry',
    ['fail'],
    [
      ['lock', `${TRY}${NOT}`],
      ['grpc unlock', `13 ${RELEASE}${NOT}`],
    ],
    'SET SET SET EVAL EVAL EVAL',
  ],
  ['take no longer than the timeout', 'lock-timeout', ['hang'], [['lock', `${TRY}${LATE}`]], 'SET'],
  [
    'have one circuit',
    'lock-circuit',
    ['fail'],
    [
      ['lock', `${TRY}${NOT}`],
      ['unlock', `500 ERR_UNLOCK ${RELEASE}${NOT}`],
      ['lock', `${TRY}${OPEN}`],
      ['grpc unlock', `13 ${RELEASE}${OPEN}`],
    ],
    'SET EVAL',
  ],
  [
    'that another has are no failure',
    'lock-retry',
    ['ok'],
    [
      ['lock', '200'],
      ['lock', '200'],
    ],
    'SET SET',
  ],
];

function conformance(make: Make, executable: string | undefined, { port }: RedisServer): void {
  describe(`${make}, policies of components on Redis`, () => {
    const gates = new Map<string, RedisGate>();
    let redis: Redis;
    let world: PoliciesWorld;
    before(async () => {
      redis = new Redis(port, '127.0.0.1');
      await redis.flushall();
      await redis.set('k', '0||1');
      for (const [name] of GATED) gates.set(name, await gatedRedis(port));
      const components = GATED.map(([name, type, policies]) => ({
        ...{ name, type, policies },
        metadata: {
          redisHost: `127.0.0.1:${gates.get(name)!.port}`,
          redisPassword: '',
          ...(type !== 'configuration.redis' && { keyPrefix: 'none' }),
        },
      }));
      world = await policiesWorld(executable, POLICIES, components);
    });
    after(async () => {
      await world?.stop();
      for (const gate of gates.values()) gate.close();
      redis.disconnect();
    });

    const ask = ([title, name, turns, calls, asked]: GatedCase) =>
      test(title, async () => {
        const names = calls.map(([call]) => call);
        const answers = calls.map(([, answer]) => answer);
        assert.deepEqual(await gated(name, turns, names), [asked, ...answers]);
      });

    describe('configuration', () => {
      for (const one of CONFIGURATION) ask(one);

      test('changes meet the inbound policies, each by itself', async () => {
        const names = ['config-in', 'config-in-circuit', 'config-in-default'];
        for (const name of names) {
          world.app.script(`/configuration/${name}/k`, [500]);
          assert.equal(await world.ask('subscribe', name), '200');
        }
        const posted = () => names.map((name) => world.app.posted(`/configuration/${name}/k`));
        // Until it is heard, a subscription of daprd's is not sure to be there.
        for (const [value, after] of [
          ['1', [3, 1, 2]],
          ['2', [6, 2, 4]],
          ['3', [9, 2, 6]],
        ] as const) {
          await until(`the application is told of ${value}`, async () => {
            if (posted().some((count, at) => count < after[at]!)) {
              await redis.set('k', `${value}||${value}`);
              await sleep(100);
            }
            return posted().every((count, at) => count >= after[at]!);
          });
        }
      });
    });

    describe('locks', { skip: make === 'daprd' && 'this daprd has no lock.redis' }, () => {
      for (const one of LOCKS) ask(one);
    });

    test('a save that fails for good says so of each item, in no order', async () => {
      const [asked, answer = ''] = await gated('state-retry', ['fail'], ['set two']);
      // Ours writes all items in one step of Redis.
      assert.equal(
        asked,
        Array(make === 'daprd' ? 6 : 3)
          .fill('EVAL')
          .join(' '),
      );
      const [head, words = ''] = answer.split(/(?<=NAME): /);
      assert.equal(head, '500 ERR_STATE_SAVE failed saving state in state store NAME');
      assert.deepEqual(
        words.split('\n').sort(),
        ['a', 'b'].map((key) => `failed to set key ${key}: ERR on purpose`),
      );
    });

    test('a deletion that fails is no etag that does not match, which it is to daprd', async () => {
      const etag = make === 'daprd' ? 'possible etag mismatch. error from state store: ' : '';
      assert.deepEqual(await gated('state-retry', ['fail'], ['delete']), [
        'EVAL EVAL EVAL',
        `${make === 'daprd' ? 409 : 500} ERR_STATE_DELETE failed deleting state with key k: ${etag}ERR on purpose`,
      ]);
    });

    test('a key of a bulk get that fails alone is said in the answer, and not read again', async () => {
      const [asked, answer] = await gated('state-retry', ['fail'], ['get bulk']);
      assert.equal(answer, '200');
      assert.equal(asked!.match(/HGETALL/g)?.length, 2);
    });

    /** What reached the Redis, and the answers. */
    async function gated(name: string, turns: readonly GateTurn[], calls: readonly string[]) {
      const gate = gates.get(name)!;
      const before = gate.asked().length;
      gate.script(turns);
      const answers: string[] = [];
      for (const call of calls) answers.push(await world.ask(call, name));
      return [gate.asked().slice(before).join(' '), ...answers];
    }
  });
}

await suiteWith('policies of components on Redis', redisServer, async (server) => {
  await bothMakes((make, executable) => conformance(make, executable, server));
});
