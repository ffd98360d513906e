import assert from 'node:assert/strict';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { readRunFile } from 'holdfast';
import { platformRun, portsOf, withPorts } from './platform-run.ts';

const home = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const file = await readRunFile(join(home, 'dapr.yaml'));

test('the run file names every process of the platform, databases and broker among them', () => {
  const { holdfast, apps } = platformRun(file, { home, node: 'node24' });

  assert.deepEqual(
    [...holdfast.processes, ...apps.map(({ appID }) => ({ name: appID, role: 'app' }))].map(
      ({ name, role }) => `${role} ${name}`,
    ),
    [
      'database sensor-postgres',
      'database auth-postgres',
      'broker broker',
      'app api-gateway',
      'app auth-service',
      'app sensor-service',
      'app event-service',
      'app event-sink',
    ],
  );
});

test('another port changes it everywhere: at its process, in commands, in the URLs of those who call', () => {
  const changed = platformRun(file, { home, node: 'node', ports: { 5433: 6001, 1884: 6002 } });
  const postgres = changed.holdfast.processes.find(({ name }) => name === 'sensor-postgres');
  const sensor = changed.apps.find(({ appID }) => appID === 'sensor-service');

  assert.deepEqual(
    {
      ports: postgres?.ports,
      ready: postgres?.ready,
      argument: postgres?.command.at(-1),
      database: sensor?.env?.DATABASE_URL,
      broker: changed.common.env?.BROKER_URL,
    },
    {
      ports: { sql: 6001 },
      ready: { tcp: 6001 },
      argument: '6001',
      database: 'postgres://postgres@127.0.0.1:6001/postgres',
      broker: 'mqtt://127.0.0.1:6002',
    },
  );
});

test('all ports of the run file can be told, so that all can be replaced', () => {
  assert.deepEqual(
    portsOf(file).toSorted((a, b) => a - b),
    [1884, 3500, 5433, 5434, 8000, 8001, 8002, 8003, 8004, 9090, 9094],
  );
});

test('Kafka takes the place of the broker, or nothing does when it runs elsewhere', () => {
  const brokers = (choice: Parameters<typeof platformRun>[1]['broker'] & object) => {
    const run = platformRun(file, { home, node: 'node', broker: choice });
    const broker = run.holdfast.processes.find(({ role }) => role === 'broker');
    return [broker?.name, broker?.ports, run.common.env?.BROKER_URL];
  };

  assert.deepEqual(
    [brokers({ kind: 'kafka' }), brokers({ kind: 'elsewhere', url: 'kafka://10.0.0.7:9092' })],
    [
      ['broker', { kafka: 9094 }, 'kafka://127.0.0.1:9094'],
      [undefined, undefined, 'kafka://10.0.0.7:9092'],
    ],
  );
});

test('a port is replaced where it stands alone, not inside a longer number or an address', () => {
  assert.deepEqual(
    ['5433', 'tcp://h:5433/x', '15433', '54330', 'a5433', '127.0.5433.1'].map((text) =>
      withPorts(text, { 5433: 1 }),
    ),
    ['1', 'tcp://h:1/x', '15433', '54330', 'a5433', '127.0.5433.1'],
  );
});
