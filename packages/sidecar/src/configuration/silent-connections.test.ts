import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { type Clock, systemClock } from '@holdfast/core';
import { tcpProxy } from '@holdfast/messaging/testing';
import { createLogger } from '@holdfast/telemetry/log';
import { postgresServer, redisServer, until, withServer } from '@holdfast/test-servers';
import { Redis } from 'ioredis';
import pg from 'pg';
import { ComponentSettings } from '../components/component-settings.ts';
import type { ConfigurationItem, ConfigurationStore } from './configuration-store.ts';
import { postgresConfiguration } from './postgres-configuration.ts';
import { redisConfiguration } from './redis-configuration.ts';

/** Nobody cuts these connections: what is between both sides has forgotten them, and says nothing to either. */
describe('what changes while the connection that hears of it is silent', () => {
  test('is told all the same, of Redis', async (t) => {
    const server = await withServer(t, () => redisServer());
    if (server === undefined) return;
    const proxy = await tcpProxy(server.port);
    t.after(() => proxy.close());
    const client = new Redis(server.port);
    t.after(() => client.disconnect());
    await client.set('k', '1');
    const redisHost = `127.0.0.1:${proxy.port}`;
    const store = await redisConfiguration(settingsOf({ redisHost, readTimeout: '1s' }), HASTY);
    const { told } = await watched(t, store);
    proxy.silence();
    await client.set('k', '2');
    await told('2');
    await client.set('k', '3');
    await told('3');
  });

  test('is told all the same, of PostgreSQL', async (t) => {
    const server = await withServer(t, () => postgresServer());
    if (server === undefined) return;
    const proxy = await tcpProxy(server.port);
    t.after(() => proxy.close());
    const client = new pg.Client(server.url).on('error', () => {});
    await client.connect();
    t.after(() => client.end());
    await client.query(`CREATE TABLE conf (key text, value text, version text, metadata json);
      INSERT INTO conf VALUES ('k', '1', NULL, NULL)`);
    const connectionString = `host=127.0.0.1 port=${proxy.port} user=postgres database=postgres sslmode=disable`;
    const metadata = { connectionString, table: 'conf', notifyChannel: 'conf', timeout: '1s' };
    const store = await postgresConfiguration(settingsOf(metadata), HASTY);
    const { told } = await watched(t, store);
    proxy.silence();
    await client.query(`UPDATE conf SET value = '2'`);
    await told('2');
    await client.query(`SELECT pg_notify('conf', '{"data": {"key": "k", "value": "3"}}')`);
    await told('3');
  });
});

/** Asks after its connections ten times a second: they are silent for as long as the test waits. */
const HASTY = {
  clock: {
    ...systemClock,
    sleep: (ms, signal) => systemClock.sleep(Math.min(ms, 100), signal),
  } satisfies Clock,
  log: createLogger({ write: () => {} }),
};

const settingsOf = (metadata: Readonly<Record<string, string>>) =>
  new ComponentSettings('c', Object.entries(metadata));

async function watched(t: TestContext, store: ConfigurationStore) {
  t.after(() => store.close());
  const heard: (ConfigurationItem | undefined)[] = [];
  const changed = async (_key: string, item: ConfigurationItem | undefined) =>
    void heard.push(item);
  await store.subscribe(['k'], changed, new AbortController().signal);
  return {
    told: async (value: string) => {
      await until(`${value} is told`, () => heard.at(-1)?.value === value);
      assert.deepEqual(
        heard.map((item) => item?.value),
        [...new Set(heard.map((item) => item?.value))],
      );
    },
  };
}
