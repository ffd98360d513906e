import assert from 'node:assert/strict';
import { availableParallelism } from 'node:os';
import { describe, type TestContext, test } from 'node:test';
import { systemClock } from '@holdfast/core';
import { VirtualClock } from '@holdfast/core/testing';
import { createLogger } from '@holdfast/telemetry/log';
import {
  type PostgresServer,
  postgresServer,
  suiteWith,
  until,
  withServer,
} from '@holdfast/test-servers';
import pg from 'pg';
import { ComponentSettings } from '../components/component-settings.ts';
import { stateContract } from '../testing/state-contract.ts';
import { postgresState } from './postgres-state.ts';
import type { StateStore } from './state-store.ts';

const NO_UUID_OF_OURS = '00000000-0000-4000-8000-000000000000';

await suiteWith('state.postgresql', postgresServer, suite);

function suite(server: PostgresServer): void {
  let databases = 0;
  /** A database of its own for each test; its URL. */
  const database = async (): Promise<string> => {
    databases += 1;
    await ask(server.url, `CREATE DATABASE test_${databases}`);
    return server.url.replace(/postgres$/, `test_${databases}`);
  };

  for (const version of ['v1', 'v2'] as const) {
    stateContract(`state.postgresql ${version}`, async () => {
      const url = await database();
      const open = () => openStore(version, { connectionString: url });
      return {
        store: await open(),
        // PostgreSQL's clock is its own.
        elapse: (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1_000)),
        another: open,
        wrongEtag: version === 'v1' ? '99' : NO_UUID_OF_OURS,
      };
    });

    describe(`state.postgresql ${version}`, () => {
      test('refuses what can be no etag before it asks the database', async (t) => {
        const kept = await store(t, version, { connectionString: await database() });
        const write = (etag: string) =>
          kept.write([{ kind: 'delete', key: 'k', etag }], false).catch((e: Error) => e.name);
        assert.deepEqual(
          [await write('other'), await write('99999999999'), await write(`' OR true --`)],
          Array(3).fill(version === 'v1' ? 'InvalidEtagError' : 'EtagMismatchError'),
        );
      });

      test('of many sidecars that begin at once on an empty database each makes do', async (t) => {
        const url = await database();
        const opened = await Promise.allSettled(
          Array.from({ length: 12 }, () =>
            store(t, version, { connectionString: url, maxConns: '2' }),
          ),
        );
        assert.deepEqual(
          opened.map((one) => (one.status === 'rejected' ? one.reason.message : 'open')),
          Array(12).fill('open'),
        );
      });

      test('deletes what has expired, one sidecar for all', async (t) => {
        const url = await database();
        const clock = new VirtualClock();
        const given = { connectionString: url, cleanupInterval: '1h' };
        const one = await store(t, version, given, clock);
        await store(t, version, given, clock);
        await one.write(
          [
            { kind: 'set', key: 'mortal', value: '1', firstWrite: false, ttlSeconds: 1 },
            { kind: 'set', key: 'kept', value: '1', firstWrite: false },
          ],
          false,
        );
        await until('it has lapsed', async () => (await one.get('mortal')) === undefined);
        const keys = async () =>
          (await ask(url, 'SELECT key FROM state ORDER BY key')).map(({ key }) => key);
        const before = await keys();
        await clock.advance(3_600_000);
        await until('it is swept', async () => (await keys()).length === 1);
        assert.deepEqual([before, await keys()], [['kept', 'mortal'], ['kept']]);
        const turns = await ask(
          url,
          `SELECT key FROM dapr_metadata WHERE key LIKE 'last-cleanup%'`,
        );
        assert.equal(turns.length, 1);
      });
    });
  }

  describe('state.postgresql', () => {
    test('takes host, port, user and database in place of those of the string, and the string in either form', async (t) => {
      const url = await database();
      const name = url.split('/').at(-1)!;
      const { port } = server;
      const forms: Record<string, string>[] = [
        { host: '127.0.0.1', port: String(port), user: 'postgres', database: name },
        {
          connectionString: `host=127.0.0.1 port=${port} user=postgres dbname=${name} connect_timeout=10`,
        },
        {
          connectionString: `host='127.0.0.1' port=1 user=postgres database=${name}`,
          port: String(port),
        },
        { url: `${url}?sslmode=disable&application_name=orders` },
        {
          connectionString: `host=127.0.0.1 port=${port} user=postgres database=${name} search_path=public`,
        },
      ];
      for (const [at, given] of forms.entries()) {
        const kept = await store(t, 'v1', given);
        await kept.write([{ kind: 'set', key: `k${at}`, value: '1', firstWrite: false }], false);
      }
      const rows = await ask(url, 'SELECT key FROM state ORDER BY key');
      assert.deepEqual(
        rows.map(({ key }) => key),
        ['k0', 'k1', 'k2', 'k3', 'k4'],
      );
    });

    test('says what is wrong with its metadata, and never a password', async (t) => {
      const url = await database();
      const words = async (given: Record<string, string>, version: 'v1' | 'v2' = 'v1') =>
        store(t, version, given).then(
          () => 'open',
          (error: Error) => error.message.replaceAll(String(server.port), 'PORT'),
        );
      assert.deepEqual(
        [
          await words({}),
          await words({ connectionString: url, timeout: '500ms' }),
          await words({ connectionString: url, timeout: 'soon' }),
          await words({ connectionString: url, tableName: 'a b' }),
          await words({ connectionString: url, tablePrefix: 'a;b' }, 'v2'),
          await words({ connectionString: `${url}?target_session_attrs=best` }),
          await words({ connectionString: 'host=a,b port=1,x' }),
          await words({ connectionString: url, maxConns: 'many' }),
          await words({ connectionString: url, queryExecMode: 'prepare' }),
          await words({ connectionString: `${url}?connect_timeout=soon` }),
          await words({ connectionString: `${url}?pool_max_conns=0` }),
          await words({ connectionString: `${url}?pool_max_conn_lifetime=long` }),
          await words({ connectionString: `${url}?service=orders` }),
          await words({ connectionString: `${url}?sslmode=require` }),
          await words({ connectionString: 'postgres://postgres:hush@127.0.0.1:1/x' }),
          await words({ connectionString: `${url}-none` }),
        ],
        [
          'failed to build connection string: metadata connectionString is missing',
          "invalid value for 'timeout': must be greater than 1s",
          'component s: metadata timeout is "soon", which has a unit without a number; write 500ms, 5s or 1m30s',
          '"a b" is no name for a table',
          '"a;b" is no prefix for names of tables',
          'target_session_attrs is "best", and must be one of any, read-write, read-only, primary, standby, prefer-standby',
          'port of the connection string must be from 1 to 65535, not "x"',
          'component s: metadata maxConns must be a whole number, not "many"',
          'queryExecMode is "prepare", and must be one of cache_statement, cache_describe, describe_exec, exec, simple_protocol',
          'connect_timeout of the connection string must be a whole number, not "soon"',
          'pool_max_conns of the connection string must be 1 or more, not 0',
          'pool_max_conn_lifetime of the connection string is "long", and must be such as 30m or 1h',
          'service of the connection string is not in this version: write out what it says',
          'failed to ping the database: The server does not support SSL connections',
          'failed to ping the database: failed to connect to `user=postgres database=x`: 127.0.0.1:1 (127.0.0.1): dial error: dial tcp 127.0.0.1:1: connect: connection refused',
          `failed to ping the database: FATAL: database "${url.split('/').at(-1)}-none" does not exist (SQLSTATE 3D000)`,
        ],
      );
    });

    test('what of the connection is without effect is in one line of the log', async (t) => {
      const lines: string[] = [];
      await store(
        t,
        'v1',
        {
          connectionString: `${await database()}?passfile=/x&target_session_attrs=any&pool_min_conns=1&sslsni=0`,
          queryExecMode: 'exec',
        },
        systemClock,
        lines,
      );
      assert.equal(lines.length, 1);
      assert.match(
        lines[0]!,
        /component s: passfile, sslsni, queryExecMode of its connection have no effect\./,
      );
    });

    test('has no more connections than it may', async (t) => {
      const mostOf = async (inString: string, maxConns?: string) => {
        const url = await database();
        const kept = await store(t, 'v1', {
          connectionString: `${url}${inString}`,
          ...(maxConns === undefined ? {} : { maxConns }),
        });
        await Promise.all(Array.from({ length: 60 }, (_, n) => kept.get(`k${n}`)));
        const [row] = await ask(
          url,
          'SELECT count(*)::int AS n FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()',
        );
        return row?.n;
      };
      const byDefault = Math.max(4, availableParallelism());
      assert.deepEqual(
        [
          await mostOf('', '3'),
          await mostOf('?pool_max_conns=2', '3'),
          await mostOf('?pool_max_conns=1'),
          // As in Dapr: 1 in the metadata is as if it were not there.
          await mostOf('?pool_max_conns=2', '1'),
          await mostOf('', '1'),
        ],
        [3, 3, 1, 2, byDefault],
      );
    });

    test('keeps the tables in the schema that is named', async (t) => {
      const url = await database();
      await ask(url, 'CREATE SCHEMA shop');
      await store(t, 'v1', {
        connectionString: url,
        tableName: 'shop.things',
        metadataTableName: 'shop.meta',
      });
      await store(t, 'v2', {
        connectionString: url,
        tablePrefix: 'shop.v2_',
        metadataTableName: 'shop.meta',
      });
      const rows = await ask(
        url,
        `SELECT tablename FROM pg_tables WHERE schemaname = 'shop' ORDER BY 1`,
      );
      const levels = await ask(
        url,
        `SELECT key, value FROM shop.meta WHERE key LIKE 'migr%' ORDER BY 1`,
      );
      assert.deepEqual(
        [rows.map(({ tablename }) => tablename), levels],
        [
          ['meta', 'things', 'v2_state'],
          [
            { key: 'migrations', value: '2' },
            { key: 'migrations-state-v2-shop.v2_', value: '1' },
          ],
        ],
      );
    });

    test('comes back after PostgreSQL was killed and started again, and lost nothing it had acknowledged', async (t) => {
      // A server of its own: with thirty databases beside this one, its recovery takes half a minute on a busy disk.
      const own = await withServer(t, postgresServer);
      if (own === undefined) return;
      const kept = await store(t, 'v1', { connectionString: own.url, timeout: '2s' });
      await kept.write([{ kind: 'set', key: 'k', value: '1', firstWrite: false }], false);
      await own.process.kill();
      const down = await kept.get('k').then(
        () => 'answered',
        (error: Error) => error.message,
      );
      const again = await kept.get('k').catch((error: Error) => error.message);
      await own.process.restart();
      await until('PostgreSQL serves again', async () => (await kept.get('k')) !== undefined);
      await kept.write([{ kind: 'set', key: 'k', value: '2', firstWrite: false }], false);
      assert.notEqual(down, 'answered');
      assert.match(String(again), /connection refused/);
      assert.equal(String((await kept.get('k'))?.value), '2');
    });

    test('does not wait longer than its time-out for a row that somebody else holds, and is well after', async (t) => {
      const url = await database();
      const kept = await store(t, 'v1', { connectionString: url, timeout: '1s' });
      await kept.write([{ kind: 'set', key: 'k', value: '1', firstWrite: false }], false);
      const other = new pg.Client({ connectionString: url });
      t.after(() => other.end());
      await other.connect();
      await other.query("BEGIN; SELECT * FROM state WHERE key = 'k' FOR UPDATE");
      const failure = await kept
        .write([{ kind: 'delete', key: 'k' }], false)
        .catch((error: Error) => error.message);
      const read = await kept.get('k');
      await other.query('ROLLBACK');
      assert.deepEqual(
        [failure, String(read?.value)],
        ['timeout: context deadline exceeded (Query read timeout)', '1'],
      );
    });
  });
}

/** Open until the test is over. */
async function store(
  t: TestContext,
  ...given: Parameters<typeof openStore>
): ReturnType<typeof openStore> {
  const kept = await openStore(...given);
  t.after(() => kept.close());
  return kept;
}

async function openStore(
  version: 'v1' | 'v2',
  given: Record<string, string>,
  clock: Parameters<typeof postgresState>[1]['clock'] = systemClock,
  lines: string[] = [],
): Promise<StateStore> {
  const settings = new ComponentSettings('s', Object.entries(given));
  const log = createLogger({ write: (line) => void lines.push(line) });
  return await postgresState(settings, { clock, log }, version);
}

async function ask(url: string, sql: string): Promise<readonly Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}
