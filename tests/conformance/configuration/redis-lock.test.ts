import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type RedisServer, redisServer, suiteWith, until } from '@holdfast/test-servers';
import { Redis } from 'ioredis';
import { type AppMesh, setupFailure, startAppMesh } from '../makes/app-mesh.ts';
import { bothMakes, type Make } from '../makes/both-makes.ts';
import { componentYaml } from '../makes/component-yaml.ts';

const MALFORMED = 'ERR_MALFORMED_REQUEST';
const MINE = { resourceId: 'x', lockOwner: 'o', expiryInSeconds: 1 };
const EXPIRY = /^ExpiryInSeconds is not positive in lock store locks$/;
const NO_NUMBER =
  /^failed deserializing HTTP body: .*invalid value for int32 field expiryInSeconds/;
const OWNER = /^LockOwner is empty in lock store locks$/;
const RESOURCE = /^ResourceId is empty in lock store locks$/;
const OTHERS = /^lock store others not found$/;
const BARS = /^failed to try acquiring lock: input key\/keyPrefix 'x\|\|y' can't contain '\|\|'$/;

/** A path, a body, and the status, code and message that answer it. */
const ODD: Readonly<Record<string, readonly [string, object | string, number, string, RegExp]>> = {
  'no expiry': ['lock/locks', { resourceId: 'x', lockOwner: 'o' }, 400, MALFORMED, EXPIRY],
  'an expiry before now': ['lock/locks', { ...MINE, expiryInSeconds: -1 }, 400, MALFORMED, EXPIRY],
  ...Object.fromEntries(
    ['0x10', '010', '+5', '5 ', '', '1.5'].map((expiryInSeconds) => [
      `the expiry "${expiryInSeconds}", which is no number of JSON`,
      ['lock/locks', { ...MINE, expiryInSeconds }, 400, MALFORMED, NO_NUMBER],
    ]),
  ),
  'no owner': ['lock/locks', { ...MINE, lockOwner: '' }, 400, MALFORMED, OWNER],
  'no resource': ['lock/locks', { ...MINE, resourceId: '' }, 400, MALFORMED, RESOURCE],
  'bars in a resource': ['lock/locks', { ...MINE, resourceId: 'x||y' }, 500, 'ERR_TRY_LOCK', BARS],
  'another store': ['lock/others', MINE, 400, 'ERR_LOCK_STORE_NOT_FOUND', OTHERS],
  'no JSON': ['lock/locks', 'x', 400, MALFORMED, /^failed deserializing HTTP body: /],
  'an unlock of no owner': ['unlock/locks', { resourceId: 'x' }, 400, MALFORMED, OWNER],
  'an unlock of another store': ['unlock/others', MINE, 400, 'ERR_LOCK_STORE_NOT_FOUND', OTHERS],
};

await suiteWith('lock.redis', redisServer, async (server) => {
  await bothMakes((make, executable) => conformance(make, executable, server), 'lock/redis');
});

/** What Dapr's conformance suite asks of a lock, and what its API says of what cannot be. */
function conformance(make: Make, executable: string | undefined, { port }: RedisServer): void {
  describe(`${make}, lock.redis`, () => {
    const redisHost = `127.0.0.1:${port}`;
    let mesh: AppMesh<'caller'>;
    let client: Redis;
    before(async () => {
      client = new Redis(port, '127.0.0.1');
      await client.flushall();
      const lock = (name: string, more = {}) =>
        componentYaml(name, 'lock.redis', { redisHost, ...more });
      mesh = await startAppMesh(executable, {
        caller: {
          resources: {
            'lock.yaml': lock('locks'),
            'named.yaml': lock('named', { keyPrefix: 'name' }),
            'bare.yaml': lock('bare', { keyPrefix: 'none' }),
          },
        },
      });
    });
    after(async () => {
      client.disconnect();
      await mesh?.stop();
    });

    const post = async (path: string, body: object | string) => {
      const url = `http://127.0.0.1:${mesh.port('caller')}/v1.0-alpha1/${path}`;
      const text = typeof body === 'string' ? body : JSON.stringify(body);
      const answer = await fetch(url, { method: 'POST', body: text });
      return [answer.status, JSON.parse(await answer.text())] as const;
    };
    const lock = (resourceId: string, lockOwner: string, expiryInSeconds = 60, store = 'locks') =>
      post(`lock/${store}`, { resourceId, lockOwner, expiryInSeconds });
    const unlock = (resourceId: string, lockOwner: string, store = 'locks') =>
      post(`unlock/${store}`, { resourceId, lockOwner });

    test('one has it, others do not, until it is given back', async () => {
      assert.deepEqual(
        [
          await lock('a', 'me'),
          await lock('a', 'you'),
          await lock('a', 'me'),
          await unlock('a', 'you'),
          await unlock('a', 'me'),
          await unlock('a', 'me'),
          await lock('a', 'you'),
        ],
        [
          [200, { success: true }],
          [200, { success: false }],
          [200, { success: false }],
          [200, { status: 2 }],
          [200, { status: 0 }],
          [200, { status: 1 }],
          [200, { success: true }],
        ],
      );
    });

    test('it lapses', async () => {
      await lock('short', 'me', 1);
      await until('another has it', async () => (await lock('short', 'you'))[1].success === true);
      assert.deepEqual(await unlock('short', 'me'), [200, { status: 2 }]);
    });

    test('its key', async () => {
      await Promise.all([lock('k', 'o'), lock('k', 'o', 60, 'named'), lock('k', 'o', 60, 'bare')]);
      const keys = ['lock||caller||k', 'lock||named||k', 'lock||k'];
      assert.deepEqual(await client.mget(keys), ['o', 'o', 'o']);
    });

    for (const [title, [path, body, status, code, message]] of Object.entries(ODD)) {
      test(`${title} is refused`, async () => {
        const [answered, { errorCode, message: said }] = await post(path, body);
        assert.deepEqual([answered, errorCode], [status, code]);
        assert.match(said, message);
      });
    }

    test('a cluster is no place for it', async () => {
      const resources = {
        'lock.yaml': componentYaml('it', 'lock.redis', { redisHost, redisType: 'cluster' }),
      };
      assert.match((await setupFailure(executable, { resources })) ?? 'it started', /[Cc]luster/);
    });
  });
}
