import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { systemClock } from '@holdfast/core';
import { createLogger } from '@holdfast/telemetry/log';
import { type PostgresServer, postgresServer, suiteWith, until } from '@holdfast/test-servers';
import pg from 'pg';
import { ComponentSettings } from '../components/component-settings.ts';
import type { ConfigurationItem } from './configuration-store.ts';
import { postgresConfiguration } from './postgres-configuration.ts';

await suiteWith('configuration.postgresql', postgresServer, suite);

function suite(server: PostgresServer): void {
  const run = async (sql: string) => {
    const client = new pg.Client(server.url);
    await client.connect();
    try {
      await client.query(sql);
    } finally {
      await client.end();
    }
  };

  describe('configuration.postgresql', () => {
    test('PostgreSQL is killed: what changed meanwhile is told when it is back, and what changes then', async (t) => {
      await run(`CREATE TABLE conf (key text, value text, version text, metadata json);
        INSERT INTO conf VALUES ('a', '1', '1', NULL), ('b', '1', '1', NULL)`);
      const metadata = { connectionString: server.url, table: 'conf', notifyChannel: 'conf' };
      const log = createLogger({ write: () => {} });
      const settings = new ComponentSettings('c', Object.entries(metadata));
      const store = await postgresConfiguration(settings, { clock: systemClock, log });
      t.after(() => store.close());
      const told: [string, ConfigurationItem | undefined][] = [];
      const hears = async (count: number) => {
        await until(`${count} are told`, () => told.length >= count);
        assert.equal(told.length, count, JSON.stringify(told));
      };
      const changed = async (key: string, item: ConfigurationItem | undefined) =>
        void told.push([key, item]);
      await store.subscribe([], changed, new AbortController().signal);

      await run(`SELECT pg_notify('conf', '{"data": {"key": "b", "value": "1", "version": "1"}}')`);
      await hears(1);
      // No trigger tells of these: that is what nobody hears while the connection is away.
      await run(`UPDATE conf SET value = '2' WHERE key = 'a'; DELETE FROM conf WHERE key = 'b'`);
      await server.process.kill();
      await server.process.restart();
      await hears(3);
      await run(`SELECT pg_notify('conf', '{"data": {"key": "c", "value": "3"}}')`);
      await hears(4);

      assert.deepEqual(told, [
        ['b', { value: '1', version: '1' }],
        ['a', { value: '2', version: '1' }],
        ['b', undefined],
        ['c', { value: '3' }],
      ]);
    });
  });
}
