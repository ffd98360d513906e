import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { postgresServer, redisServer, Unavailable, until } from '@holdfast/test-servers';
import { type AppMesh, startAppMesh } from '../makes/app-mesh.ts';
import { componentYaml } from '../makes/component-yaml.ts';
import { findDaprd } from '../makes/daprd.ts';
import { daprClient } from '../makes/grpc-client.ts';
import { type Read, storeOf } from './store-of.ts';

const daprd = await findDaprd();
const postgres = await postgresServer();
const redis = await redisServer();
for (const server of [postgres, redis]) {
  if (!(server instanceof Unavailable)) after(() => server.process.remove());
  else if (process.env.CI === 'true') throw new Error(server.why);
}

/** Why a store cannot be had; false where it can. */
const STORES: Readonly<Record<string, string | false>> = {
  sqlite: false,
  postgres: postgres instanceof Unavailable && postgres.why,
  postgres2: postgres instanceof Unavailable && postgres.why,
  redis: redis instanceof Unavailable && redis.why,
};

describe('holdfast and daprd, on one table', { skip: daprd === undefined && 'no daprd' }, () => {
  let folder = '';
  const meshes: Partial<Record<'holdfast' | 'daprd', AppMesh<'caller'>>> = {};
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'holdfast-shared-state-'));
    const components = [
      componentYaml('sqlite', 'state.sqlite', { connectionString: path.join(folder, 'state.db') }),
    ];
    if (!(postgres instanceof Unavailable)) {
      const connectionString = `${postgres.url}?sslmode=disable`;
      components.push(
        componentYaml('postgres', 'state.postgresql', {
          connectionString,
          tableName: 'one',
          metadataTableName: 'one_metadata',
        }),
        componentYaml(
          'postgres2',
          'state.postgresql',
          { connectionString, tablePrefix: 'two_' },
          { version: 'v2' },
        ),
      );
    }
    if (!(redis instanceof Unavailable)) {
      const redisHost = `127.0.0.1:${redis.port}`;
      components.push(componentYaml('redis', 'state.redis', { redisHost, redisPassword: '' }));
    }
    const caller = { resources: { 'stores.yaml': components.join('---') } };
    // One after the other: the first makes the tables.
    meshes.holdfast = await startAppMesh(undefined, { caller });
    meshes.daprd = await startAppMesh(daprd, { caller });
  });
  after(async () => {
    await meshes.holdfast?.stop();
    await meshes.daprd?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  for (const [store, skip] of Object.entries(STORES)) {
    for (const [from, to] of [
      ['holdfast', 'daprd'],
      ['daprd', 'holdfast'],
    ] as const) {
      const both = () => {
        const [one, other] = [meshes[from]!, meshes[to]!];
        return [storeOf(one.port('caller'), store), storeOf(other.port('caller'), store)] as const;
      };
      const run = (title: string, body: () => Promise<void>) =>
        test(`${store}: ${title}, ${from} and then ${to}`, { skip }, body);
      const key = (name: string) => `${name}-${from}`;

      run('values of JSON, with their etags', async () => {
        const [writer, reader] = both();
        const values = { text: 'é ✓ "', number: 1.5, list: [1, [null]], object: { a: { b: '' } } };
        const named = Object.entries(values).map(([name, value]) => ({ key: key(name), value }));
        await writer.save(named);
        for (const { key: name, value } of named) {
          const [mine, theirs] = [await writer.get(name), await reader.get(name)];
          assert.deepEqual([theirs, JSON.parse(theirs.body)], [mine, value]);
        }
      });

      run('bytes, over gRPC', async () => {
        const [one, other] = [meshes[from]!, meshes[to]!].map((mesh) =>
          daprClient(mesh.grpcPort('caller')),
        );
        const values = [
          Buffer.from([0, 1, 0xff, 0xfe]),
          Buffer.from('no JSON'),
          Buffer.from('"x"'),
        ];
        const states = values.map((value, n) => ({ key: key(`bytes${n}`), value, metadata: {} }));
        await one!.saveState({ storeName: store, states });
        const seen = await Promise.all(
          states.map(async ({ key: name }) => {
            const { data } = await other!.getState({ storeName: store, key: name });
            return Buffer.from(data);
          }),
        );
        assert.deepEqual(seen, values);
      });

      run('an etag of one is good for the other, once', async () => {
        const [writer, reader] = both();
        const name = key('etag');
        await writer.save([{ key: name, value: 1 }]);
        const { etag } = await reader.get(name);
        const statuses = [
          await reader.save([{ key: name, value: 2, etag }]),
          await writer.save([{ key: name, value: 3, etag }]),
          await writer.remove(name, etag),
        ];
        const now = await writer.get(name);
        assert.deepEqual([statuses, now.body], [[204, 409, 409], '2']);
        assert.deepEqual(
          [await writer.remove(name, now.etag), (await reader.get(name)).status],
          [204, 204],
        );
      });

      run('of two first writes without an etag the first counts', async () => {
        const [writer, reader] = both();
        const options = { concurrency: 'first-write' };
        const name = key('first');
        await writer.remove(name);
        assert.deepEqual(
          [
            await writer.save([{ key: name, value: 'mine', options }]),
            // daprd's word for it is 500 in some stores, ours 409.
            (await reader.save([{ key: name, value: 'theirs', options }])) >= 400,
            (await reader.get(name)).body,
          ],
          [204, true, '"mine"'],
        );
      });

      run('an item lives as long for the other', async () => {
        const [writer, reader] = both();
        const [long, short] = [key('long'), key('short')];
        await writer.save([
          { key: long, value: 1, metadata: { ttlInSeconds: '1000' } },
          { key: short, value: 1, metadata: { ttlInSeconds: '1' } },
        ]);
        // daprd does not say when an item of Redis ends; that it does is seen below.
        const known = ({ expires, ...read }: Read) =>
          store === 'redis' ? read : { ...read, expires };
        const [mine, theirs] = [known(await writer.get(long)), known(await reader.get(long))];
        assert.deepEqual(theirs, mine);
        await until('it is gone', async () => (await reader.get(short)).status === 204);
        // It is free for a first write of the other then.
        const options = { concurrency: 'first-write' };
        assert.equal(await reader.save([{ key: short, value: 2, options }]), 204);
      });

      run('a transaction is seen whole', async () => {
        const [writer, reader] = both();
        const [kept, removed] = [key('kept'), key('removed')];
        await writer.save([{ key: removed, value: 1 }]);
        await writer.transact([
          { operation: 'upsert', request: { key: kept, value: { a: 1 } } },
          { operation: 'delete', request: { key: removed } },
        ]);
        assert.deepEqual(
          [JSON.parse((await reader.get(kept)).body), (await reader.get(removed)).status],
          [{ a: 1 }, 204],
        );
      });
    }
  }
});
