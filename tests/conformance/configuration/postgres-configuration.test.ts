import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type PostgresServer, postgresServer, suiteWith } from '@holdfast/test-servers';
import pg from 'pg';
import { A, B, GETS, TABLE } from '../cases/postgres-configuration.ts';
import { type AppMesh, setupFailure, startAppMesh } from '../makes/app-mesh.ts';
import { bothMakes, type Make } from '../makes/both-makes.ts';
import { type DaprClient, daprClient, outcome } from '../makes/grpc-client.ts';
import { toldApp } from './told-app.ts';

await suiteWith('configuration.postgresql', postgresServer, async (server) => {
  await bothMakes(
    (make, executable) => conformance(make, executable, server),
    'configuration/postgres',
  );
});

function conformance(make: Make, executable: string | undefined, { url }: PostgresServer): void {
  describe(`${make}, configuration.postgresql`, () => {
    const app = toldApp();
    let mesh: AppMesh<'caller'>;
    let client: pg.Client;
    let rpc: DaprClient;
    before(async () => {
      client = new pg.Client(url);
      await client.connect();
      await client.query(TABLE);
      const components = [
        component(url, 'own', '{ name: table, value: conf }, { name: notifyChannel, value: conf }'),
        component(url, 'bare', '{ name: table, value: conf }', 'configuration.postgres'),
      ];
      const caller = { resources: { 'config.yaml': components.join('---') } };
      mesh = await startAppMesh(executable, { caller }, undefined, app.instead);
      rpc = daprClient(mesh.grpcPort('caller'));
    });
    after(async () => {
      await mesh?.stop();
      await client.end();
    });
    const ask = async (path: string): Promise<readonly [number, unknown]> => {
      const answer = await fetch(
        `http://127.0.0.1:${mesh.port('caller')}/v1.0/configuration/${path}`,
      );
      const text = await answer.text();
      return [answer.status, text === '' ? '' : JSON.parse(text)];
    };
    const subscribe = async (path: string) => {
      const [, answer] = await ask(path);
      // daprd answers before it listens.
      await sleep(500);
      return (answer as { readonly id: string }).id;
    };

    for (const [path, expected, daprd] of GETS) {
      test(`GET ${path}`, async () => {
        assert.deepEqual(await ask(path), make === 'daprd' ? (daprd ?? expected) : expected);
      });
    }

    for (const [keys, items] of [
      [['b'], { b: { ...B, metadata: {} } }],
      [['a', 'c'], { a: A, c: { value: '', version: '', metadata: {} } }],
      [['nowhere'], {}],
    ] as const) {
      test(`gRPC: get of ${keys}`, async () => {
        const call = { storeName: 'own', keys: [...keys] };
        assert.deepEqual(await outcome((options) => rpc.getConfiguration(call, options)), {
          answer: { items },
        });
      });
    }

    test('gRPC: a key that cannot be', async () => {
      const call = { storeName: 'own', keys: ['a-b'] };
      const { code, message } = (await outcome((o) => rpc.getConfiguration(call, o))) as {
        code: number;
        message: string;
      };
      assert.deepEqual(
        [code, message],
        [13, "failed to get [a-b] from Configuration store own: invalid key : 'a-b'"],
      );
    });

    test('the application is told of a row that is written, and of the last there was when it goes', async () => {
      const id = await subscribe('own/subscribe?key=told&key=other');
      await client.query(`INSERT INTO conf VALUES ('told', '1', '1', '{"k": "v"}')`);
      await app.hears('told', { value: '1', version: '1', metadata: { k: 'v' } });
      await client.query(`INSERT INTO conf VALUES ('unasked', '1', '1', NULL)`);
      await client.query(`UPDATE conf SET value = '2', metadata = NULL WHERE key = 'told'`);
      await app.hears('told', { value: '2', version: '1' });
      await client.query(`DELETE FROM conf WHERE key = 'told'`);
      await client.query(`INSERT INTO conf VALUES ('other', '', '', NULL)`);
      const { method, type, id: said } = await app.hears('other', {});
      const last = app.told.get('told')?.at(-1)?.item;
      assert.deepEqual(
        [said, method, type, last, app.told.has('unasked')],
        [id, 'POST', 'application/json', { value: '2', version: '1' }, false],
      );
      assert.deepEqual(await ask(`own/${id}/unsubscribe`), [200, { ok: true }]);
    });

    test('names of columns in any letter case; what is no row is left out', async () => {
      const id = await subscribe('bare/subscribe?key=upper&metadata.pgNotifyChannel=conf');
      await client.query(`NOTIFY conf, 'noise'`);
      await client.query(`NOTIFY conf, '{"data": "noise"}'`);
      await client.query(`NOTIFY conf, '{"data": {"KEY": "upper", "VALUE": "1"}}'`);
      await app.hears('upper', { value: '1' });
      await ask(`bare/${id}/unsubscribe`);
      await sleep(300);
      await client.query(`NOTIFY conf, '{"data": {"key": "upper", "value": "2"}}'`);
      await sleep(300);
      assert.deepEqual(
        app.told.get('upper')?.map(({ item }) => item),
        [{ value: '1' }],
      );
    });

    test('gRPC: who subscribes is told in the same call, on the channel that it names', async () => {
      const ending = new AbortController();
      const call = { storeName: 'bare', keys: ['g'], metadata: { pgNotifyChannel: 'conf' } };
      const told = rpc
        .subscribeConfiguration(call, { signal: ending.signal })
        [Symbol.asyncIterator]();
      const first = await told.next();
      await sleep(500);
      await client.query(`INSERT INTO conf VALUES ('g', 'v', '1', '{"k": "v"}')`);
      const { value } = await told.next();
      ending.abort();
      const { metadata, value: text, version } = value!.items.g!;
      assert.deepEqual(
        [first.value!.items, text, version, { ...metadata }, value!.id === first.value!.id],
        [{}, 'v', '1', { k: 'v' }, true],
      );
    });

    for (const [metadata, why] of [
      ['{ name: table, value: "" }', /missing postgreSQL configuration table name$/],
      ['{ name: table, value: Conf }', /invalid table name 'Conf'\. non-alphanumerics or upper/],
      ['{ name: table, value: nowhere }', /configuration table 'nowhere' does not exist$/],
      [`{ name: table, value: ${'a'.repeat(70)} }`, /too long - tableName : 'a+'\. max .* 64$/],
      [
        '{ name: table, value: conf }, { name: notifyChannel, value: "A-b" }',
        /invalid notifyChannel name \\?"A-b\\?"\. non-alphanumerics or upper cased names/,
      ],
    ] as const) {
      test(`it does not start with ${metadata.slice(0, 60)}`, async () => {
        const resources = { 'config.yaml': component(url, 'own', metadata) };
        assert.match((await setupFailure(executable, { resources })) ?? 'it started', why);
      });
    }
  });
}

function component(
  url: string,
  name: string,
  metadata: string,
  type = 'configuration.postgresql',
): string {
  return `
apiVersion: dapr.io/v1alpha1
kind: Component
metadata: { name: ${name} }
spec:
  type: ${type}
  version: v1
  metadata: [{ name: connectionString, value: "${url}?sslmode=disable" }, ${metadata}]
`;
}
