import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { eventually } from '@holdfast/test-servers';
import { openDatabase } from '../service/database.ts';
import { databaseServer } from '../testing/database-server.ts';

test('the process is the database: SIGKILL ends it, a start brings it back with what was committed', async (t) => {
  const server = await databaseServer();
  t.after(() => server.remove());
  const database = openDatabase(server);
  t.after(() => database.close());
  await serves(database);
  await database.query('CREATE TABLE note (text text)');

  await database.query("INSERT INTO note VALUES ('kept')");
  const program = await readFile(`/proc/${server.process().pid}/comm`, 'utf8').catch(
    () => 'postgres',
  );
  await server.kill();
  // A connection's own backend may answer for a moment longer than its parent lives.
  const whileDown = await eventually(
    () =>
      database.query('SELECT 1').then(
        () => undefined,
        (error: Error) => error.name,
      ),
    Boolean,
    'it is missed',
  );
  await server.start();
  await serves(database);
  const after = await database.query('SELECT text FROM note');

  assert.deepEqual(
    { program: program.trim(), whileDown, after },
    { program: 'postgres', whileDown: 'DatabaseUnavailableError', after: [{ text: 'kept' }] },
  );
});

test('a query in progress when the server is killed does not keep the next server from starting', async (t) => {
  const server = await databaseServer();
  t.after(() => server.remove());
  const database = openDatabase({ ...server, statementMs: 60_000 });
  t.after(() => database.close());
  await serves(database);

  const busy = database
    .query('SELECT count(*) FROM generate_series(1, 2000000000)')
    .catch((error: Error) => error.name);
  await eventually(
    () => database.query("SELECT 1 FROM pg_stat_activity WHERE query LIKE '%series%'"),
    (rows) => rows.length > 1,
    'the query is in progress',
  );
  await server.kill();
  await server.start();

  await serves(database);
  assert.equal(await busy, 'DatabaseUnavailableError');
});

async function serves(database: ReturnType<typeof openDatabase>): Promise<void> {
  await eventually(
    () => database.query('SELECT 1'),
    () => true,
    'PostgreSQL serves',
  );
}
