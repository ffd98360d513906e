import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tcpProxy } from '@holdfast/messaging/testing';
import { createLogger } from '@holdfast/telemetry/log';
import { postgresServer, withServer } from '@holdfast/test-servers';
import { ComponentSettings } from '../components/component-settings.ts';
import { openPostgres } from './postgres-pool.ts';

test('a connection to a primary that may only read by now is left for one to where its address leads', async (t) => {
  const old = await withServer(t, () => postgresServer());
  const next = await withServer(t, () => postgresServer());
  if (old === undefined || next === undefined) return;
  const proxy = await tcpProxy(old.port);
  const connectionString = `host=127.0.0.1 port=${proxy.port} user=postgres database=postgres sslmode=disable`;
  const settings = new ComponentSettings('s', Object.entries({ connectionString }));
  const pool = await openPostgres(settings, { log: createLogger({ write: () => {} }) });
  t.after(async () => {
    await pool.close();
    await proxy.close();
  });
  await pool.query('ALTER SYSTEM SET default_transaction_read_only = on');
  await pool.query('SELECT pg_reload_conf()');
  await pool.query('SET default_transaction_read_only = on');
  // The address has moved, and nobody cuts the connections to where it led before.
  proxy.target(next.port, 'kept');
  await assert.rejects(pool.query('CREATE TABLE t (id int)'), /read-only transaction/);
  await pool.query('CREATE TABLE t (id int)');
  const { rows } = await pool.query('SHOW port');
  assert.deepEqual(rows, [{ port: String(next.port) }]);
});
