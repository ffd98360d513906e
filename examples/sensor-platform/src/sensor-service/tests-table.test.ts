import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { eventually } from '@holdfast/test-servers';
import { type Database, openDatabase } from '../service/database.ts';
import { type DatabaseServer, databaseServer } from '../testing/database-server.ts';
import { SENSORS } from './sensors.ts';
import {
  addTest,
  dropEvents,
  findTest,
  finishTests,
  leaseTests,
  makeTables,
  nextEvents,
} from './tests-table.ts';
import { testWorker } from './worker.ts';

let server: DatabaseServer;
let database: Database;

before(async () => {
  server = await databaseServer();
  database = openDatabase(server);
  await eventually(
    () => makeTables(database),
    () => true,
    'the tables are there',
  );
});
after(async () => {
  await database.close();
  await server.remove();
});

const add = async (sensorType = 'temperature', id: string = randomUUID()) => {
  await addTest(database, { id, sensorType, requestedBy: 'admin' });
  return id;
};
const takeEvents = async () => {
  const events = await nextEvents(database, 1_000);
  await dropEvents(
    database,
    events.map(({ position }) => position),
  );
  return events.map(({ body }) => body as { test_id: string; type: string; result: unknown });
};

test('the same request again is the same test', async () => {
  const id = await add();
  await add('humidity', id);

  assert.equal((await findTest(database, id))?.sensor_type, 'temperature');
  await finishAll();
});

test('a test is given to one worker, and to another only when that one has been silent too long', async () => {
  const id = await add();
  const first = await leaseTests(database, 10);
  const second = await leaseTests(database, 10);
  await database.query("UPDATE tests SET leased_until = now() - interval '1 ms' WHERE id = $1", [
    id,
  ]);
  const third = await leaseTests(database, 10);

  assert.deepEqual(
    [first, second, third].map((leased) => leased.map((each) => each.id)),
    [[id], [], [id]],
  );
  await finishAll();
});

test('a test finished by two workers has one result and one event', async () => {
  const id = await add();
  await finishTests(database, [{ id, status: 'completed', result: { value: 1 }, reason: null }]);
  await finishTests(database, [{ id, status: 'failed', result: null, reason: 'too late' }]);

  const events = await takeEvents();
  assert.deepEqual(
    [
      await findTest(database, id),
      events.map(({ test_id, type, result }) => [test_id, type, result]),
    ],
    [
      { id, sensor_type: 'temperature', status: 'completed', result: { value: 1 }, reason: null },
      [[id, 'sensor.test.completed', { value: 1 }]],
    ],
  );
});

test('the worker does what waits, good sensors and broken ones, and says whether there was anything', async () => {
  const ids = await Promise.all(Object.keys(SENSORS).map((type) => add(type)));
  const work = testWorker(database);
  const worked = [await work(), await work()];

  const tests = await Promise.all(ids.map((id) => findTest(database, id)));
  assert.deepEqual(
    {
      worked,
      states: tests.map((each) =>
        `${each?.sensor_type} ${each?.status} ${each?.reason ?? ''}`.trim(),
      ),
      events: (await takeEvents()).map(({ test_id }) => test_id).toSorted(),
    },
    {
      worked: [true, false],
      states: [
        'temperature completed',
        'humidity completed',
        'pressure completed',
        'light completed',
        'vibration completed',
        'faulty failed The sensor does not answer',
      ],
      events: ids.toSorted(),
    },
  );
});

async function finishAll() {
  await database.query("UPDATE tests SET leased_until = '-infinity'");
  await testWorker(database)();
  await takeEvents();
}
