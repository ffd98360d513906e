import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import {
  type PostgresServer,
  postgresServer,
  type RedisServer,
  redisServer,
  Unavailable,
  until,
} from '@holdfast/test-servers';
import { type AppMesh, startAppMesh } from '../makes/app-mesh.ts';
import { bothMakes, type Make } from '../makes/both-makes.ts';
import { componentYaml } from '../makes/component-yaml.ts';
import { storeOf } from './store-of.ts';

/** By name, and with the server that has what it keeps. */
const STORES = {
  memory: undefined,
  lite: undefined,
  first: 'postgres',
  second: 'postgres',
  redis: 'redis',
} as const;

const [postgres, redis] = await Promise.all([postgresServer(), redisServer()]);
const missing = [postgres, redis].find((one) => one instanceof Unavailable);
if (postgres instanceof Unavailable || redis instanceof Unavailable) {
  const why = missing instanceof Unavailable ? missing.why : '';
  if (process.env.CI === 'true') throw new Error(why);
  test('state, as it is certified', { skip: why }, () => {});
} else {
  after(() => Promise.all([postgres.process.remove(), redis.process.remove()]));
  await bothMakes((make, executable) => conformance(make, executable, { postgres, redis }));
}

interface Servers {
  readonly postgres: PostgresServer;
  readonly redis: RedisServer;
}

/** What Dapr's certification asks of its state stores. */
function conformance(make: Make, executable: string | undefined, servers: Servers): void {
  describe(`${make}, state, as it is certified`, () => {
    let mesh: AppMesh<'caller'>;
    before(async () => {
      const resources = { 'stores.yaml': components(make, servers) };
      mesh = await startAppMesh(executable, { caller: { resources } });
    });
    after(() => mesh?.stop());

    for (const name of Object.keys(STORES)) {
      const store = () => storeOf(mesh.port('caller'), name);

      test(`${name}: a key may read like a statement`, async () => {
        await store().save([{ key: 'witness', value: 1 }]);
        for (const key of ['DROP TABLE state', "dapr' OR '1'='1", 'a"; DELETE FROM state; --']) {
          const path = encodeURIComponent(key);
          assert.equal(await store().save([{ key, value: key }]), 204);
          assert.equal((await store().get(path)).body, JSON.stringify(key));
          assert.equal(await store().remove(path), 204);
          assert.equal((await store().get(path)).status, 204);
        }
        assert.equal((await store().get('witness')).body, '1');
      });

      test(`${name}: of one key in a transaction the last counts, with its time to live`, async () => {
        const upsert = (key: string, value: string, ttlInSeconds?: string) => ({
          operation: 'upsert',
          request: {
            key,
            value,
            ...(ttlInSeconds === undefined ? {} : { metadata: { ttlInSeconds } }),
          },
        });
        const [one, two, three] = [`${make}-1`, `${make}-2`, `${make}-3`];
        const steps = [
          upsert(one, 'a', '-1'),
          upsert(two, 'b', '222'),
          upsert(three, 'c'),
          upsert(one, 'd', '50'),
          upsert(three, 'e', '50'),
        ];
        assert.equal(await store().transact(steps), 204);
        const read = await Promise.all([one, two, three].map((key) => store().get(key)));
        assert.deepEqual(
          read.map(({ body }) => body),
          ['"d"', '"b"', '"e"'],
        );
        if (name === 'redis')
          assert.deepEqual(
            read.map(({ etag }) => etag),
            ['2', '1', '2'],
          );
        // daprd's Redis says nothing of when an item ends.
        if (make === 'daprd' && name === 'redis') return;
        const secondsLeft = read.map(({ expires }) =>
          Math.round((Date.parse(`${expires}Z`) - Date.now()) / 10_000),
        );
        assert.deepEqual(secondsLeft, [5, 22, 5]);
      });
    }

    for (const server of ['postgres', 'redis'] as const) {
      test(`a ${server} that was restarted is asked as if nothing had been`, async () => {
        const its = Object.entries(STORES).filter(([, one]) => one === server);
        const stores = its.map(([name]) => storeOf(mesh.port('caller'), name));
        const { process } = servers[server];
        for (const store of stores) await store.save([{ key: 'kept', value: 'still' }]);
        await process.stop();
        await process.restart();
        for (const store of stores) {
          // daprd tells its callers of connections that went with PostgreSQL, once for each.
          if (make === 'daprd' && server === 'postgres') {
            await until('a get goes through', async () => (await store.get('kept')).status === 200);
            continue;
          }
          assert.equal((await store.get('kept')).body, '"still"');
          assert.equal(await store.save([{ key: 'kept', value: 'new' }]), 204);
        }
      });
    }
  });
}

function components(make: Make, { postgres, redis }: Servers): string {
  const { url: connectionString } = postgres;
  return [
    componentYaml('memory', 'state.in-memory'),
    componentYaml('lite', 'state.sqlite', { connectionString: ':memory:' }),
    componentYaml('first', 'state.postgresql', {
      ...{ connectionString, tableName: make, metadataTableName: `${make}_metadata` },
    }),
    componentYaml(
      'second',
      'state.postgresql',
      {
        connectionString,
        tablePrefix: `public.${make}_`,
        metadataTableName: `public.${make}_second`,
      },
      { version: 'v2' },
    ),
    componentYaml('redis', 'state.redis', { redisHost: `127.0.0.1:${redis.port}` }),
  ].join('---');
}
