import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type PostgresServer,
  type PostgresServerOptions,
  postgresServer,
  Unavailable,
} from '@holdfast/test-servers';
import { Pool, type PoolConfig } from 'pg';
import { type PostgresStore, postgresStore } from '../../postgres/index.ts';

/** For what pools are told to send at their end. */
const PATIENCE_MS = 5_000;

export interface PostgresSuite {
  readonly server: PostgresServer;
  readonly pool: Pool;
  /** A pool of its own, ended with the suite. */
  newPool(config?: PoolConfig): Pool;
  /** A name that no other test has. */
  newSchema(): string;
  /** A store whose time is told by the test. */
  virtualStore(): Promise<VirtualStore>;
}

export interface VirtualStore {
  readonly store: PostgresStore;
  readonly schema: string;
  elapse(ms: number): Promise<void>;
}

/** Runs `body` with one PostgreSQL for the tests of a file; skips them, or fails on CI, where there is none. */
export async function postgresSuite(
  name: string,
  body: (suite: PostgresSuite) => void,
  options: PostgresServerOptions = {},
) {
  const server = await postgresServer(options);
  if (server instanceof Unavailable) {
    test(name, (t) => {
      if (process.env.CI === 'true') throw new Error(server.why);
      t.skip(server.why);
    });
    return;
  }
  const pools: Pool[] = [];
  const newPool = (config: PoolConfig = {}) => {
    const pool = new Pool({ connectionString: server.url, max: 10, ...config });
    pool.on('error', () => {});
    pools.push(pool);
    return pool;
  };
  const pool = newPool();
  let made = 0;
  const newSchema = () => `test_${++made}`;
  after(async () => {
    // A pool waits without end for a client that a failed test has not given back: the server's end ends those.
    const over = new AbortController();
    const ended = Promise.all(pools.map((each) => each.end())).finally(() => over.abort());
    await Promise.race([ended, sleep(PATIENCE_MS, undefined, { signal: over.signal })]).catch(
      () => {},
    );
    await server.process.remove();
  });
  body({
    server,
    pool,
    newPool,
    newSchema,
    async virtualStore() {
      const schema = newSchema();
      const store = postgresStore({ pool, schema });
      await store.open();
      await pool.query(
        `CREATE TABLE ${schema}.virtual (ms bigint); INSERT INTO ${schema}.virtual VALUES (1000000);
         CREATE OR REPLACE FUNCTION ${schema}.now_ms() RETURNS bigint LANGUAGE sql STABLE AS 'SELECT ms FROM ${schema}.virtual'`,
      );
      const elapse = async (ms: number) => {
        await pool.query(`UPDATE ${schema}.virtual SET ms = ms + $1`, [ms]);
      };
      return { store, schema, elapse };
    },
  });
}
