import assert from 'node:assert/strict';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { eventually, until } from '@holdfast/test-servers';
import { removeHome } from './postgres/home.ts';
import { type Platform, startPlatform } from './run/start-platform.ts';
import { type PlatformClient, platformClient } from './testing/platform-client.ts';

/** All of it, with real processes on free ports; each test leaves everything running. */
let platform: Platform;
let state: string;
let client: PlatformClient;

before(async () => {
  state = await mkdtemp(join(tmpdir(), 'platform-test-'));
  await chmod(state, 0o755); // root's databases run as another user
  platform = await startPlatform({ port: 0, state, node: process.execPath, env: process.env });
  client = await platformClient(platform.url);
});
after(async () => {
  await platform.run.stop();
  for (const name of ['sensor-postgres', 'auth-postgres']) await removeHome(join(state, name));
  await rm(state, { recursive: true });
});

test('every process of the table is listed, each with its own pid', () => {
  const processes = platform.run.ps();

  assert.deepEqual(processes.map(({ role, name }) => `${role} ${name}`).toSorted(), [
    'broker broker',
    'database auth-postgres',
    'database sensor-postgres',
    'service api-gateway',
    'service auth-service',
    'service event-service',
    'service event-sink',
    'service sensor-service',
    'sidecar api-gateway-sidecar',
    'sidecar auth-service-sidecar',
    'sidecar event-service-sidecar',
    'sidecar event-sink-sidecar',
    'sidecar sensor-service-sidecar',
  ]);
  assert.equal(new Set(processes.map(({ pid }) => pid)).size, processes.length);
});

test('a login gets a token, a wrong password does not', async () => {
  const [good, bad] = await Promise.all([
    client.login('admin', 'admin123'),
    client.login('admin', 'guess'),
  ]);

  assert.deepEqual(
    [good.status, Object.keys(good.body), good.body.token_type, bad.status],
    [200, ['access_token', 'token_type', 'expires_in'], 'bearer', 401],
  );
});

test('a test is accepted at once, completed behind, and its event arrives', async () => {
  const accepted = await client.sensor('temperature');
  const id = String(accepted.body.test_id);
  const done = await client.finished(id);
  const event = await eventually(() => client.arrived(id), Boolean, 'its event arrives');

  assert.deepEqual(
    { accepted, done: [done.status, done.sensor_type, Object.keys(done.result)], event },
    {
      accepted: { status: 202, body: { test_id: id, status: 'processing' } },
      done: ['completed', 'temperature', ['unit', 'value']],
      event: { test_id: id, type: 'sensor.test.completed', delivery: 1 },
    },
  );
});

test('a broken sensor makes a failed test with its reason', async () => {
  const { body } = await client.sensor('faulty');
  const { status, reason } = await client.finished(String(body.test_id));

  assert.deepEqual([status, reason], ['failed', 'The sensor does not answer']);
});

test('no token, a bad one, an unknown sensor and an unknown test are told so', async () => {
  const answers = await Promise.all([
    client.post('/test/sensor/temperature'),
    client.post('/test/sensor/temperature', { authorization: 'Bearer a.b.c' }),
    client.sensor('smell'),
    client.get('/test/0190c0de-0000-7000-8000-000000000000'),
  ]);

  assert.deepEqual(
    answers.map(({ status }) => status),
    [401, 401, 404, 404],
  );
});

test('health names services, checks and circuits; ready and live say what they say', async () => {
  const [health, ready, live] = await Promise.all(['/health', '/ready', '/live'].map(client.get));
  const { circuit_breakers: circuits, ...rest } = health!.body;

  assert.deepEqual(
    { rest, circuits: Object.keys(circuits), ready: ready!.status, live: live!.status },
    {
      rest: {
        status: 'healthy',
        services: { auth: 'up', sensor: 'up', event: 'up', 'event-sink': 'up' },
        checks: { database: 'up', 'auth-database': 'up', broker: 'up' },
      },
      circuits: ['auth', 'sensor', 'event', 'event-sink'],
      ready: 200,
      live: 200,
    },
  );
});

test('an order is accepted and arrives; an outside dependency is asked until it answers', async () => {
  const order = await client.post('/process', {}, '{"order":1}');
  const requested = ({ type }: { type: string }) => type === 'process.requested';
  await until('the request arrives', async () => {
    const { body } = await client.get('/events/delivered?limit=1000');
    return body.events.some(requested);
  });
  const proxy = await client.get('/proxy');

  assert.deepEqual(order, { status: 202, body: { status: 'accepted' } });
  assert.deepEqual(Object.keys(proxy.body.metrics), [
    ...['calls', 'attempts', 'retries', 'timeouts', 'refused', 'failed'],
  ]);
});

test('two hundred tests at once are all accepted and all arrive, each once', async () => {
  const answers = await Promise.all(Array.from({ length: 200 }, () => client.sensor('light')));
  const ids = answers.map(({ body }) => String(body.test_id));
  const deliveries = await eventually(
    async () => (await client.delivered()).filter(({ test_id }) => ids.includes(String(test_id))),
    (ours) => ours.length >= ids.length,
    'all arrive',
  );

  assert.deepEqual(
    {
      statuses: [...new Set(answers.map(({ status }) => status))],
      different: new Set(deliveries.map(({ test_id }) => test_id)).size,
      repeated: deliveries.filter(({ delivery }) => delivery > 1).length,
    },
    { statuses: [202], different: 200, repeated: 0 },
  );
});

test('auth-service killed: no login, but a known user goes on, marked as degraded; then all is well again', async () => {
  await platform.run.kill('auth-service');
  const [refused, accepted] = [
    await client.login('admin', 'admin123'),
    await client.sensor('temperature'),
  ];
  await platform.run.start('auth-service');
  await until(
    'one can log in again',
    async () => (await client.login('admin', 'admin123')).status === 200,
  );

  assert.deepEqual(
    { refused, accepted: [accepted.status, accepted.body.auth] },
    {
      refused: { status: 503, body: { error: 'auth service unavailable' } },
      accepted: [202, 'degraded'],
    },
  );
});

test('broker killed: events wait and are counted; started again: they arrive', async () => {
  await platform.run.kill('broker');
  const { body } = await client.sensor('humidity');
  await until('it is queued', async () => (await client.get('/kafka/stats')).body.queued >= 1);
  await platform.run.start('broker');
  const event = await eventually(
    () => client.arrived(String(body.test_id)),
    Boolean,
    'its event arrives',
  );

  assert.equal(event?.type, 'sensor.test.completed');
});

test('database killed: one clear sentence at once; started again: what was kept is there', async () => {
  const before = await client.sensor('pressure');
  const id = String(before.body.test_id);
  await client.finished(id);
  await platform.run.kill('sensor-postgres');
  const down = await eventually(
    () => client.sensor('pressure'),
    ({ status }) => status !== 202,
    'the database is missed',
  );
  const { checks, services } = (await client.get('/health')).body;
  await platform.run.start('sensor-postgres');
  await until('it is back', async () => (await client.sensor('pressure')).status === 202);

  assert.deepEqual(
    {
      down,
      database: checks.database,
      sensor: services.sensor,
      kept: (await client.finished(id)).status,
    },
    {
      down: { status: 503, body: { error: 'Database unavailable' } },
      database: 'down',
      sensor: 'up',
      kept: 'completed',
    },
  );
});

test('sensor-service killed right after its 202 completes the test when it is started again', async () => {
  const { body } = await client.sensor('vibration');
  await platform.run.kill('sensor-service');
  const away = await client.sensor('vibration');
  await platform.run.start('sensor-service');
  const done = await client.finished(String(body.test_id));

  assert.deepEqual(
    [away, done.status],
    [{ status: 503, body: { error: 'sensor service unavailable' } }, 'completed'],
  );
});

test('the gateway answers without its sidecar, and is not ready', async () => {
  await platform.run.kill('api-gateway-sidecar');
  const [answer, live, ready] = [
    await client.sensor('light'),
    await client.get('/live'),
    await client.get('/ready'),
  ];
  await platform.run.start('api-gateway-sidecar');
  await until('it is back', async () => (await client.sensor('light')).status === 202);

  assert.deepEqual(
    [answer.body, live.status, ready.status],
    [{ error: 'sensor service unavailable' }, 200, 503],
  );
});
