import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemClock } from '@holdfast/core';
import { createLogger } from '@holdfast/telemetry/log';
import { openNames } from './open-names.ts';

test('a key of nameResolution.configuration that has no effect is named, with those that there are', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-names-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const lines: string[] = [];
  const configuration = {
    ConnectionString: join(folder, 'names.db'),
    cleanupIntervalInSeconds: '60',
    updateIntervall: '5s',
  };
  const names = await openNames(
    { component: 'sqlite', configuration },
    { clock: systemClock, log: createLogger({ write: (line) => void lines.push(line) }) },
  );
  await names.close();
  assert.equal(lines.length, 1);
  assert.match(lines[0]!, /configuration updateIntervall \(sqlite\) have no effect; there are/);
});

test('durations of sqlite are as in Dapr: Go’s, seconds, and less than nothing where that turns off', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-names-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const outcome = async (more: Readonly<Record<string, string>>) => {
    const configuration = { connectionString: join(folder, 'names.db'), ...more };
    try {
      const env = { clock: systemClock, log: createLogger({ write: () => {} }) };
      const names = await openNames({ component: 'sqlite', configuration }, env);
      await names.close();
      return 'open';
    } catch (error) {
      return (error as Error).message.replace(/^nameResolution.configuration[. ]/, '');
    }
  };
  assert.deepEqual(
    [
      await outcome({ updateInterval: '1m30s', cleanupInterval: '-1', busyTimeout: '-1s' }),
      await outcome({ updateInterval: '30', cleanupIntervalInSeconds: '0', busyTimeout: '500ms' }),
      await outcome({ updateInterval: '1s' }),
      await outcome({ cleanupInterval: 'soon' }),
    ],
    [
      'open',
      'open',
      '(sqlite): update interval must be at least 1s greater than timeout',
      'cleanupInterval must be a duration, such as 5s or 1m30s, not "soon".',
    ],
  );
});

test('a format of addresses must have a place for the id, and a port', async () => {
  const open = (format?: string) =>
    openNames(
      { component: 'nameresolution.nameformat', configuration: { format } },
      { clock: systemClock, log: createLogger({ write() {} }) },
    );
  const names = await open('{appid}-sidecar.{appid}:50002');
  assert.deepEqual(await names.resolve('orders', 'default'), ['orders-sidecar.orders:50002']);
  for (const wrong of [undefined, 'sidecar:50002', '{appid}-sidecar', '{appid}:port']) {
    await assert.rejects(open(wrong), /format must be host:port with \{appid\} in it/);
  }
});

test('a resolver is named in any letter case, and has one version', async () => {
  const open = async (component: string, version?: string) => {
    const spec = { component, version, configuration: { addresses: {} } };
    try {
      const env = { clock: systemClock, log: createLogger({ write() {} }) };
      await (await openNames(spec, env)).close();
      return 'open';
    } catch (error) {
      return (error as Error).message;
    }
  };
  assert.deepEqual(
    [await open('Static'), await open('static', 'V1'), await open('static', 'v2')],
    ['open', 'open', "couldn't find name resolver static/v2: nameResolution.version must be v1."],
  );
});
