import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type PostgresServer, postgresServer, suiteWith } from '@holdfast/test-servers';
import pg from 'pg';
import { op } from '../cases/binding-case.ts';
import { type AppMesh, startAppMesh } from '../makes/app-mesh.ts';
import { bothMakes, type Make } from '../makes/both-makes.ts';
import { componentYaml } from '../makes/component-yaml.ts';
import { overGrpc, overHttp } from './play-binding.ts';
import { POSTGRES_BINDINGS } from './postgres-cases.ts';

await suiteWith('bindings.postgresql', postgresServer, async (server) => {
  await bothMakes((make, executable) => conformance(make, executable, server), 'bindings/postgres');
});

function conformance(make: Make, executable: string | undefined, { url }: PostgresServer): void {
  for (const [protocol, play] of [
    ['HTTP', overHttp],
    ['gRPC', overGrpc],
  ] as const) {
    describe(`${make}, bindings.postgresql over ${protocol}`, () => {
      let mesh: AppMesh<'caller'>;
      const asIs = (text: string) => text;
      before(async () => {
        const client = new pg.Client(url);
        await client.connect();
        await client.query('DROP TABLE IF EXISTS told');
        await client.end();
        // The quickstart's names, one for the type and one for the setting.
        const components = [
          componentYaml('sqldb', 'bindings.postgres', { url }),
          componentYaml('closed', 'bindings.postgresql', { connectionString: url }),
        ];
        const caller = { resources: { 'sqldb.yaml': components.join('---') } };
        mesh = await startAppMesh(executable, { caller });
      });
      after(() => mesh?.stop());

      for (const one of POSTGRES_BINDINGS) test(one.name, () => play(mesh, one, make, asIs));

      test('what is told beside an answer is text, and bytes on one line where it is a header', async () => {
        const sql = "select\n'ü'";
        const told = protocol === 'gRPC' ? sql : "select 'Ã¼'";
        const expect = { status: 200, metadata: { sql: told, 'rows-affected': '1' } };
        await play(mesh, { name: '', to: 'sqldb', body: op('exec', { sql }), expect }, make, asIs);
      });

      test('closed, it answers no more, and may be closed again', async () => {
        const closed = (operation: string, error?: string) => {
          const expect =
            error === undefined
              ? { status: 204, body: '' }
              : { status: 500, error: ['ERR_INVOKE_OUTPUT_BINDING', error] as const };
          const body = op(operation, { sql: 'select 1' });
          return play(mesh, { name: '', to: 'closed', body, expect }, make, asIs);
        };
        await closed('query').then(
          () => assert.fail('it answers with a row'),
          (error: Error) => assert.match(error.message, /200|\[\[1\]\]/),
        );
        await closed('close');
        await closed('close');
        await closed('query', 'component is closed');
      });
    });
  }
}
