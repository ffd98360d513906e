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

    test('a channel that clients named is heard until the last of them has left', async (t) => {
      await run('CREATE TABLE named (key text, value text, version text, metadata json)');
      const lines: string[] = [];
      const log = createLogger({ write: (line) => void lines.push(line) });
      const metadata = { connectionString: server.url, table: 'named' };
      const settings = new ComponentSettings('c', Object.entries(metadata));
      const store = await postgresConfiguration(settings, { clock: systemClock, log });
      t.after(() => store.close());
      const told: string[] = [];
      const subscribe = async (notifyChannel: string) => {
        const ending = new AbortController();
        const changed = async (key: string) => void told.push(`${key} on ${notifyChannel}`);
        await store.subscribe([], changed, ending.signal, { notifyChannel });
        return () => ending.abort();
      };
      const say = (channel: string, key: string) =>
        run(`SELECT pg_notify('${channel}', '{"data": {"key": "${key}"}}')`);
      const [leave, stay] = [await subscribe('one'), await subscribe('one')];
      leave();
      await say('one', 'a');
      await until('the other still hears', () => told.length === 1);
      stay();
      await subscribe('two');
      // Who still listened would complain of it.
      await run(`SELECT pg_notify('one', 'not of the form'), pg_notify('two', 'nor this')`);
      await say('two', 'b');
      await until('what came last is told', () => told.length === 2);
      const complaints = lines.map((line) => /a notification on \w+/.exec(line)?.[0]);
      assert.deepEqual([told, complaints], [['a on one', 'b on two'], ['a notification on two']]);
    });
  });
}
