import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import {
  type PostgresServer,
  postgresServer,
  type RedisServer,
  redisServer,
  Unavailable,
} from '@holdfast/test-servers';
import { bothMakes, type Make } from '../makes/both-makes.ts';
import { componentYaml } from '../makes/component-yaml.ts';
import { type DaprClient, daprClient } from '../makes/grpc-client.ts';
import { type Mesh, startMesh } from '../makes/mesh.ts';
import { storeOf } from './store-of.ts';

const postgres = await serverOr(postgresServer);
const redis = await serverOr(redisServer);
after(async () => {
  for (const server of [postgres, redis]) await server?.process.remove();
});
await bothMakes(conformance);

/** What Dapr's own suite asks of every state store, of all of them, through the sidecar. */
function conformance(make: Make, executable: string | undefined): void {
  describe(`${make}, every state store`, () => {
    let mesh: Mesh;
    let client: DaprClient;
    const stores = [
      'memory',
      'lite',
      ...(postgres === undefined ? [] : ['first', 'second']),
      ...(redis === undefined ? [] : ['redis']),
    ];
    before(async () => {
      mesh = await startMesh(executable, {
        resources: { 'stores.yaml': components(postgres?.url, redis?.port) },
      });
      client = daprClient(mesh.grpcPort('caller'));
    });
    after(() => mesh.stop());

    for (const storeName of stores) {
      const key = (name: string) => `${make}-${name}`;
      const http = () => storeOf(mesh.port('caller'), storeName);
      const bytesOf = async (name: string) => {
        const { data } = await client.getState({ storeName, key: key(name) });
        return Buffer.from(data);
      };

      test(`${storeName}: a value comes back as it was given`, async () => {
        const values = [123, true, '{"a":"b"}', 'hello world', '', { a: { b: [1, null] } }, null];
        const items = values.map((value, at) => ({ key: key(`v${at}`), value }));
        assert.equal(await http().save(items), 204);
        const came = [];
        for (const { key } of items) came.push(JSON.parse((await http().get(key)).body));
        assert.deepEqual(came, values);
      });

      test(`${storeName}: bytes over gRPC come back as they were, and so does a megabyte`, async () => {
        // What is no text at all, and what is the beginning of a message of Protobuf.
        const odd = Buffer.from([0x08, 0xff, 0xff, 0xff, 0xff, 0x0f, 0, 0xc3, 0x28]);
        const large = Buffer.alloc(1_000_000, 'x');
        await client.saveState({
          storeName,
          states: [
            { key: key('odd'), value: odd },
            { key: key('large'), value: large },
          ],
        });
        assert.deepEqual(await bytesOf('odd'), odd);
        assert.ok((await bytesOf('large')).equals(large));
      });

      test(`${storeName}: a transaction does one thing after the other`, async () => {
        await http().save([{ key: key('t1'), value: 1 }]);
        const upsert = (name: string, value: unknown) => ({
          ...{ operation: 'upsert', request: { key: key(name), value } },
        });
        const remove = (name: string) => ({ operation: 'delete', request: { key: key(name) } });
        const steps = [remove('t1'), upsert('t2', 2), remove('t2'), upsert('t3', 3), remove('t4')];
        assert.equal(await http().transact(steps), 204);
        const bodies = [];
        for (const name of ['t1', 't2', 't3']) bodies.push((await http().get(key(name))).body);
        assert.deepEqual(bodies, ['', '', '3']);
      });

      test(`${storeName}: of several writes those whose etag fits are done`, async () => {
        const [a, b] = [key('e1'), key('e2')];
        await http().save([
          { key: a, value: 1 },
          { key: b, value: 1 },
        ]);
        const { etag } = await http().get(b);
        const wrong = WRONG_ETAG[storeName] ?? 'wrong';
        const status = await http().save([
          { key: a, value: 2, etag: wrong },
          { key: b, value: 2, etag },
        ]);
        assert.deepEqual(
          [status, (await http().get(a)).body, (await http().get(b)).body],
          [409, '1', '2'],
        );
        assert.equal(await http().remove(a, wrong), 409);
      });

      test(`${storeName}: of many who write first, one does`, async () => {
        const many = Array.from({ length: 20 }, (_, value) => ({
          ...{ key: key('race'), value, options: { concurrency: 'first-write' } },
        }));
        const statuses = await Promise.all(many.map((one) => http().save([one])));
        assert.equal(statuses.filter((status) => status === 204).length, 1, statuses.join());
      });

      test(`${storeName}: of many who have the same etag, one writes`, async () => {
        await http().save([{ key: key('count'), value: 0 }]);
        const { etag } = await http().get(key('count'));
        const statuses = await Promise.all(
          Array.from({ length: 20 }, (_, value) =>
            http().save([{ key: key('count'), value, etag }]),
          ),
        );
        assert.equal(statuses.filter((status) => status === 204).length, 1, statuses.join());
      });

      test(`${storeName}: a hundred keys are got at once, those that are not there as well`, async () => {
        const keys = Array.from({ length: 100 }, (_, at) => key(`b${at}`));
        await http().save(keys.slice(0, 99).map((key, value) => ({ key, value })));
        const { items } = await client.getBulkState({ storeName, keys, parallelism: 7 });
        const found = new Map(items.map(({ data, key }) => [key, Buffer.from(data).toString()]));
        assert.deepEqual(
          keys.map((key) => found.get(key)),
          [...keys.keys()].map((at) => (at === 99 ? '' : String(at))),
        );
      });

      // daprd's Redis says nothing of when an item ends.
      const says = !(make === 'daprd' && storeName === 'redis');
      test(`${storeName}: with -1 an item has no end any more`, async () => {
        const save = (ttlInSeconds: string) =>
          http().save([{ key: key('ttl'), value: 1, metadata: { ttlInSeconds } }]);
        await save('1000');
        assert.equal((await http().get(key('ttl'))).expires !== null, says);
        await save('-1');
        assert.equal((await http().get(key('ttl'))).expires, null);
        assert.equal(await save('soon'), 500);
      });
    }
  });
}

/** That nobody has, in the form that the store gives. */
const WRONG_ETAG: Readonly<Record<string, string>> = {
  first: '1',
  second: 'e9b9e142-74b1-4a2e-8e90-3f4ffeea2e70',
  redis: '9999999',
};

async function serverOr<Server extends PostgresServer | RedisServer>(
  start: () => Promise<Server | Unavailable>,
): Promise<Server | undefined> {
  const server = await start();
  if (!(server instanceof Unavailable)) return server;
  if (process.env.CI === 'true') throw new Error(server.why);
  return undefined;
}

function components(url: string | undefined, redisPort: number | undefined): string {
  const component = (
    name: string,
    type: string,
    metadata: Readonly<Record<string, string>>,
    version = 'v1',
  ) => componentYaml(name, type, metadata, { version, scopes: ['caller'] });
  return [
    component('memory', 'state.in-memory', {}),
    component('lite', 'state.sqlite', { connectionString: '$FOLDER/lite.db' }),
    ...(url === undefined
      ? []
      : [
          component('first', 'state.postgresql', {
            ...{ connectionString: url, tableName: 'sweep', metadataTableName: 'sweep_metadata' },
            ...{ maxConns: '8', connectionMaxIdleTime: '1m', timeout: '15s' },
          }),
          component(
            'second',
            'state.postgresql',
            { connectionString: url, tablePrefix: 'sweep_', cleanupInterval: '1m' },
            'v2',
          ),
        ]),
    ...(redisPort === undefined
      ? []
      : [component('redis', 'state.redis', { redisHost: `127.0.0.1:${redisPort}` })]),
  ].join('---');
}
