import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { createLogger } from '@holdfast/telemetry/log';
import {
  type RedisServer,
  redisSentinel,
  redisServer,
  suiteWith,
  withServer,
} from '@holdfast/test-servers';
import { Redis } from 'ioredis';
import { ComponentSettings } from '../components/component-settings.ts';
import { staticNames } from '../names/static-names.ts';
import { type Sidecar, startSidecar } from '../start-sidecar.ts';
import { redisLock } from './redis-lock.ts';

await suiteWith('locks', redisServer, suite);

function suite({ port, process: redis }: RedisServer): void {
  let client: Redis;
  let sidecar: Sidecar;
  let folder: string;

  before(async () => {
    // It is in the way of the outage as well.
    client = new Redis(port, '127.0.0.1').on('error', () => {});
    folder = await mkdtemp(join(tmpdir(), 'holdfast-lock-'));
    await writeFile(join(folder, 'locks.yaml'), COMPONENTS(port));
    await writeFile(join(folder, 'policies.yaml'), RESILIENCY);
    sidecar = await startSidecar({
      appId: 'one',
      httpPort: 0,
      metricsPort: 0,
      names: staticNames({}),
      resourcesPaths: [folder],
    });
  });
  after(async () => {
    client.disconnect();
    await sidecar.stop({ force: true });
    await rm(folder, { recursive: true, force: true });
  });

  const send = async (api: string, body: unknown) => {
    const answer = await fetch(`http://127.0.0.1:${sidecar.ports.http}/v1.0-alpha1/${api}`, {
      method: 'POST',
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
    return [answer.status, (await answer.json()) as Record<string, unknown>] as const;
  };
  const request = (resourceId: string, lockOwner: string, expiryInSeconds = 60) => ({
    ...{ resourceId, lockOwner, expiryInSeconds },
  });

  describe('locks', () => {
    test('of many that want it at once exactly one has it', async () => {
      const outcomes = await Promise.all(
        Array.from({ length: 50 }, (_, n) => send('lock/locks', request('wanted', `owner-${n}`))),
      );
      const won = outcomes.filter(([, body]) => body.success === true);
      assert.equal(won.length, 1);
    });

    test("its key is Dapr's, under the prefix that the component asks for", async () => {
      for (const store of ['locks', 'bare', 'named', 'spaced']) {
        await send(`lock/${store}`, request('k', 'me', 30));
      }
      const keys = ['lock||one||k', 'lock||k', 'lock||named||k', 'lock||namespace||k'];
      const owners = await Promise.all(keys.map((key) => client.get(key)));
      assert.deepEqual(owners, ['me', 'me', 'me', 'me']);
      assert.equal(Math.ceil((await client.ttl(keys[0]!)) / 30), 1);
    });

    test("what is wrong with a request is said in Dapr's words", async () => {
      const said = async (api: string, body: unknown) => {
        const [status, { errorCode, message }] = await send(api, body);
        return [status, errorCode, message];
      };
      const malformed = (message: string) => [400, 'ERR_MALFORMED_REQUEST', message];
      const unread = (why: string) => malformed(`failed deserializing HTTP body: ${why}`);
      const reserved = "input key/keyPrefix 'a||b' can't contain '||'";
      assert.deepEqual(
        [
          await said('lock/locks', request('r', 'me', 0)),
          await said('lock/locks', { lockOwner: 'me', expiryInSeconds: 1 }),
          await said('lock/locks', { resource_id: 'r', expiry_in_seconds: '1' }),
          await said('unlock/locks', ''),
          await said('lock/nowhere', request('r', 'me')),
          await said('unlock/nowhere', request('r', 'me')),
          await said('lock/locks', request('a||b', 'me')),
          await said('unlock/locks', request('a||b', 'me')),
          await said('lock/locks', request('r', 'me', 1.5)),
          await said('lock/locks', { resourceId: 5 }),
          await said('unlock/locks', []),
        ],
        [
          malformed('ExpiryInSeconds is not positive in lock store locks'),
          malformed('ResourceId is empty in lock store locks'),
          malformed('LockOwner is empty in lock store locks'),
          malformed('ResourceId is empty in lock store locks'),
          [400, 'ERR_LOCK_STORE_NOT_FOUND', 'lock store nowhere not found'],
          [400, 'ERR_LOCK_STORE_NOT_FOUND', 'lock store nowhere not found'],
          [500, 'ERR_TRY_LOCK', `failed to try acquiring lock: ${reserved}`],
          [500, 'ERR_UNLOCK', `failed to release lock: ${reserved}`],
          unread('invalid value for int32 field expiryInSeconds: 1.5'),
          unread('invalid value for string field resourceId: 5'),
          unread('a JSON object is expected'),
        ],
      );
    });

    test('its policies are those of the component, and a refusal says whose it is', async () => {
      await redis.kill();
      const answers = [];
      for (let n = 0; n < 4; n += 1) {
        const url = `http://127.0.0.1:${sidecar.ports.http}/v1.0-alpha1/lock/guarded`;
        const answer = await fetch(url, {
          method: 'POST',
          body: JSON.stringify(request('r', 'me')),
        });
        const { message } = (await answer.json()) as { message: string };
        answers.push([answer.status, message, answer.headers.get('holdfast-refused-by')]);
      }
      await redis.restart();
      const refused = 'failed to try acquiring lock: circuit breaker is open';
      assert.deepEqual(answers.slice(2), [
        [500, refused, 'careful'],
        [500, refused, 'careful'],
      ]);
    });

    test('the master that a sentinel names has locks, and the log says what may become of them', async (t) => {
      const master = await withServer(t, redisServer);
      const sentinel = master && (await withServer(t, () => redisSentinel('main', master.port)));
      if (sentinel === undefined) return;
      const lines: string[] = [];
      const locks = await redisLock(
        new ComponentSettings('l', [
          ['redisHost', `127.0.0.1:${sentinel.port}`],
          ['failover', 'true'],
          ['sentinelMasterName', 'main'],
        ]),
        createLogger({ write: (line) => void lines.push(line) }),
      );
      t.after(() => locks.close());
      assert.deepEqual(
        [
          await locks.tryLock('r', 'me', 30),
          await locks.tryLock('r', 'you', 30),
          await locks.unlock('r', 'you'),
          await locks.unlock('r', 'me'),
        ],
        [true, false, 'of-another', 'unlocked'],
      );
      assert.match(lines.join(), /a lock that it has not heard of yet may be given twice/);
    });

    test('a Redis that another would take over from is refused', async () => {
      const failure = (...more: (readonly [string, string])[]) =>
        redisLock(
          new ComponentSettings('l', [['redisHost', `127.0.0.1:${port}`], ...more]),
          createLogger({ write: () => {} }),
        ).then(
          () => 'opened',
          ({ message }: Error) => message,
        );
      const why = 'locks need one Redis that nobody takes over from';
      assert.deepEqual(
        [await failure(['failover', 'true']), await failure(['redisType', 'cluster'])],
        [
          'component l: metadata sentinelMasterName is missing',
          `${why}: redisType: cluster is not supported`,
        ],
      );
    });
  });
}

const COMPONENTS = (port: number) => {
  const component = (name: string, more = '') => `
apiVersion: dapr.io/v1alpha1
kind: Component
metadata: { name: ${name} }
spec: { type: lock.redis, version: v1, metadata: [{ name: redisHost, value: "127.0.0.1:${port}" }${more}] }
---`;
  return `${component('locks')}
${component('bare', ', { name: keyPrefix, value: none }')}
${component('named', ', { name: keyPrefix, value: name }')}
${component('spaced', ', { name: keyPrefix, value: namespace }')}
${component('guarded', ', { name: maxRetries, value: "0" }')}
`;
};

const RESILIENCY = `
apiVersion: dapr.io/v1alpha1
kind: Resiliency
metadata: { name: r }
spec:
  policies: { circuitBreakers: { careful: { trip: consecutiveFailures >= 2, timeout: 60s } } }
  targets: { components: { guarded: { outbound: { circuitBreaker: careful } } } }
`;
