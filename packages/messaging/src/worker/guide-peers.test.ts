import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { memoryStore, openJobs, RetryLaterError, textOf } from '@holdfast/messaging';
import { postgresStore } from '@holdfast/messaging/postgres';
import { eventually } from '../testing/eventually.ts';
import { postgresSuite } from '../testing/servers/postgres-suite.ts';

test('the guide’s window and its runs that never overlap', async (t) => {
  const jobs = await opened(t);
  const user = 'ann';
  const ask = async () => {
    // Once in ten minutes for each user, however often it is asked for.
    const slot = Math.floor(Date.now() / 600_000);
    const [receipt] = await jobs.enqueue([
      { id: `digest-${user}@${slot}`, topic: 'digest', body: user },
    ]);
    return { slot, duplicate: receipt?.duplicate };
  };
  const [first, second] = [await ask(), await ask()];

  // Runs that never overlap: the same key, one at a time.
  const sync = jobs.schedule('sync', { everyMs: 60_000 }, { topic: 'sync', key: 'sync', body: '' });

  assert.equal(first.duplicate, false);
  // At the turn of a window it is another.
  assert.equal(second.duplicate, second.slot === first.slot);
  const { messages } = await eventually(
    () => jobs.waiting(),
    (page) => page.messages.some(({ topic }) => topic === 'sync'),
    'the first tick waits',
  );
  assert.deepEqual(
    messages.filter(({ topic }) => topic === 'sync').map(({ id, key }) => [id, key]),
    [[sync.idOf(sync.nextAt!), 'sync']],
  );
});

test('the guide’s debounce and its throttle: of many one waits, the latest', async (t) => {
  const jobs = await opened(t);
  const page = '/start';
  for (const body of ['1', '2', '3']) {
    // A debounce: five seconds after the last change, and no later than a minute after the first.
    await jobs.enqueue([
      { topic: 'index', body, delayMs: 5_000, replaces: { name: page, maxWaitMs: 60_000 } },
    ]);
    // A throttle: five seconds after the first one, whatever comes until then; with what the last one said.
    await jobs.enqueue([
      { topic: 'notify', body, delayMs: 5_000, replaces: { name: page, due: 'kept' } },
    ]);
    // One that waits is enough.
    await jobs.enqueue([{ topic: 'refresh', body, replaces: { name: page } }]);
  }

  const { messages } = await jobs.waiting();
  assert.deepEqual(messages.map((message) => `${message.topic} ${textOf(message)}`).toSorted(), [
    'index 3',
    'notify 3',
    'refresh 3',
  ]);
});

test('the guide’s result is found by whoever asks for it', async (t) => {
  const jobs = await opened(t);
  const count = async (_: string) => 42;

  jobs.work({
    count: async (job) => {
      const rows = await count(textOf(job));
      job.result(JSON.stringify({ rows }));
    },
  });
  const [receipt] = await jobs.enqueue([{ topic: 'count', body: 'orders' }]);

  const status = await eventually(
    () => jobs.status(receipt!.id),
    (found) => found?.state === 'done',
    'it is done',
  );
  assert.equal(status?.result, '{"rows":42}');
});

test('the guide’s next job is enqueued once, although the one before it is handled twice', async (t) => {
  const jobs = await opened(t);
  const published: string[] = [];
  const resized: string[] = [];
  const publish = async (text: string) => void published.push(text);
  const resize = async (id: string) => {
    resized.push(id);
    // As if its process had died behind the enqueueing, the first time.
    if (resized.length === 1) {
      await jobs.enqueue([{ id: `${id}/publish`, topic: 'publish', body: 'x' }]);
      throw new RetryLaterError({ delayMs: 1 });
    }
  };

  const worker = jobs.work({
    resize: async (job) => {
      await resize(job.id);
      await jobs.enqueue([{ id: `${job.id}/publish`, topic: 'publish', body: job.body }]);
    },
    publish: (job) => publish(textOf(job)),
  });

  await jobs.enqueue([{ id: 'image-7', topic: 'resize', body: 'x' }]);
  await eventually(
    () => jobs.stats(),
    ({ successful }) => successful === 2,
    'both are done',
  );
  await worker.stop();
  assert.deepEqual([resized.length, published], [2, ['x']]);
});

test('the guide’s pause and clearing out', async (t) => {
  const jobs = await opened(t);
  const worker = jobs.work({ other: () => {} });
  await jobs.enqueue(['a', 'b'].map((id) => ({ id, topic: 'import', body: '' })));

  await jobs.pause({ topic: 'import' }); // in all processes, also in those that start later
  await worker.pause(); // resolves when what it has at work has ended
  const gone = await jobs.cancelAll({ topic: 'import' });
  worker.resume();
  await jobs.resume({ topic: 'import' });

  assert.equal(gone, 2);
  const [receipt] = await jobs.enqueue([{ id: 'a', topic: 'import', body: '' }]);
  assert.equal(receipt?.duplicate, true, 'the id of a cancelled job stays known');
});

test('the guide’s few at a time for each customer are three, and each lane keeps its order', async (t) => {
  const jobs = await opened(t);
  const customer = 'ann';
  for (const order of ['00', '01', '02', '03', '04', '05', '06']) {
    const lane = Number.parseInt(order.slice(-2), 16) % 3;
    await jobs.enqueue([{ topic: 'export', key: `${customer}/${lane}`, body: order }]);
  }
  let atWork = 0;
  let most = 0;
  const done: string[] = [];
  jobs.work({
    export: async (job) => {
      most = Math.max(most, ++atWork);
      await new Promise<void>((resolve) => setImmediate(resolve));
      atWork -= 1;
      done.push(textOf(job));
    },
  });
  await eventually(
    () => done.length,
    (count) => count === 7,
    'all are done',
  );

  assert.equal(most, 3);
  assert.deepEqual(
    ['00', '03', '06'].map((order) => done.indexOf(order)),
    ['00', '03', '06'].map((order) => done.indexOf(order)).toSorted((a, b) => a - b),
  );
});

test('the guide’s code that comes too late is not sent', async (t) => {
  const jobs = await opened(t);

  // A code that has not been sent within five minutes is not sent at all.
  await jobs.enqueue([{ topic: 'send-code', body: 'ann', lifetimeMs: 5 * 60_000 }]);

  const sent: string[] = [];
  jobs.work({ 'send-code': (job) => void sent.push(textOf(job)) });
  await eventually(
    () => sent,
    ([name]) => name === 'ann',
    'in time it is',
  );
});

await postgresSuite('the guide’s job in a transaction of one’s own', ({ pool }) => {
  test('the job is there when the row is, and not after a rollback', async (t) => {
    await pool.query('CREATE TABLE customer (name text)');
    const client = await pool.connect();
    t.after(() => client.release());

    const store = postgresStore({ pool, schema: 'jobs' });
    const jobs = await openJobs({ store });

    await client.query('BEGIN');
    await client.query("INSERT INTO customer VALUES ('ann')");
    await store.acceptIn(client, [{ id: 'welcome-ann', topic: 'send-mail', body: 'ann' }]);
    await client.query('COMMIT'); // after a ROLLBACK there is neither

    t.after(() => jobs.close());
    await client.query('BEGIN');
    await store.acceptIn(client, [{ id: 'welcome-bob', topic: 'send-mail', body: 'bob' }]);
    await client.query('ROLLBACK');
    const states = ['welcome-ann', 'welcome-bob'].map((id) => jobs.status(id));
    assert.deepEqual(
      (await Promise.all(states)).map((each) => each?.state),
      ['queued', undefined],
    );
  });
});

async function opened(t: TestContext) {
  const jobs = await openJobs({ store: memoryStore() });
  t.after(() => jobs.close());
  return jobs;
}
