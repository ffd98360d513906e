import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  drainOnSignals,
  type Job,
  openJobs,
  PoisonError,
  RetryLaterError,
  textOf,
} from '@holdfast/messaging';
import { sqliteInbox, sqliteStore } from '@holdfast/messaging/sqlite';
import { Cron } from 'croner';
import { Piscina } from 'piscina';
import { eventually } from '../testing/eventually.ts';
import { tempDir } from '../testing/temp-dir.ts';

test('the guide’s first example runs: enqueued, handled, drained', async (t) => {
  const { path, process, resize } = await world(t);

  const jobs = await openJobs({ store: sqliteStore({ path }) });

  // Where the work comes from. Resolves after fsync: only now say 202.
  await jobs.enqueue([{ id: 'image-7', topic: 'resize-image', body: '{"width":200}' }]);

  // Where it is done, in this process or in another on the same machine.
  const worker = jobs.work({
    'resize-image': async (job) => {
      const { width } = JSON.parse(textOf(job));
      await resize(job.id, width, job.signal);
    },
  });
  drainOnSignals([worker, jobs], process); // SIGTERM: finish, give back, exit

  t.after(() => jobs.close());
  await eventually(
    () => jobs.stats(),
    ({ successful }) => successful === 1,
    'it is done',
  );
  assert.deepEqual([resize.done, (await jobs.status('image-7'))?.state], [['image-7:200'], 'done']);
  process.signal('SIGTERM');
  await eventually(
    () => process.codes,
    (codes) => codes.length > 0,
    'it exits',
  );
  assert.deepEqual([process.codes, worker.inspect().state], [[0], 'stopped']);
});

test('the guide’s rules per topic run', async (t) => {
  const { path, sendMail, insertRows, log } = await world(t);
  const jobs = await openJobs({ store: sqliteStore({ path }) });
  t.after(() => jobs.close());

  jobs.work(
    {
      'send-mail': {
        handle: async (job) => {
          const answer = await sendMail(textOf(job), { signal: job.signal });
          if (answer.status === 429) throw new RetryLaterError({ delayMs: 30_000 });
          if (answer.status === 422) throw new PoisonError('no such address');
          if (answer.status !== 250) throw new Error(`the mail server said ${answer.status}`);
        },
        concurrency: 2,
        rateLimit: { limit: 10, intervalMs: 1_000 },
        maxDeliveries: 8,
      },
      'import-row': {
        batch: 100,
        handle: async (rows) => insertRows(rows.map(textOf)),
      },
    },
    { concurrency: 20, onEvent: (event) => event.type === 'died' && log(event.id, event.reason) },
  );

  await jobs.enqueue([
    { id: 'well', topic: 'send-mail', body: 'a@example.org' },
    { id: 'nobody', topic: 'send-mail', body: 'nobody@example.org' },
    ...Array.from({ length: 30 }, (_, n) => ({ topic: 'import-row', body: `row ${n}` })),
  ]);
  const stats = await eventually(
    () => jobs.stats(),
    ({ queued }) => queued === 0,
    'all ended',
  );
  assert.deepEqual([stats.successful, stats.dead], [31, 1]);
  assert.deepEqual(insertRows.rows.length, 30);
  assert.match(log.lines[0] ?? '', /^nobody poison: PoisonError: no such address/);
});

test('the guide’s effect happens once, although its job is handled twice', async (t) => {
  const { path, directory } = await world(t);
  const jobs = await openJobs({ store: sqliteStore({ path }) });
  const database = new DatabaseSync(join(directory, 'accounts.db'));
  t.after(async () => {
    await jobs.close();
    database.close();
  });
  database.exec(
    "CREATE TABLE account (id TEXT, balance INTEGER); INSERT INTO account VALUES ('a', 100)",
  );
  const withdraw = database.prepare('UPDATE account SET balance = balance - ? WHERE id = ?');
  let failOnce = true;

  const inbox = sqliteInbox({ database }); // the database of the effect
  const pay = async (job: Job) => {
    inbox.once(job.id, () => withdraw.run(12, 'a'));
    await sendReceipt(job.id); // may fail; the money is then not taken again
  };
  jobs.work({ pay }, { delayMs: 10 });

  async function sendReceipt(_id: string) {
    await sleep(1);
    if (failOnce) {
      failOnce = false;
      throw new Error('mail server away');
    }
  }
  await jobs.enqueue([{ id: 'pay-1', topic: 'pay', body: '' }]);
  await eventually(
    () => jobs.stats(),
    ({ successful }) => successful === 1,
    'it is done',
  );
  assert.equal(failOnce, false);
  assert.deepEqual({ ...database.prepare('SELECT balance FROM account').get() }, { balance: 88 });
});

test('the guide’s work in threads runs, and is ended by its signal', async (t) => {
  const { path } = await world(t);
  const jobs = await openJobs({ store: sqliteStore({ path }) });

  const pool = new Piscina({
    filename: new URL('../testing/count-primes.ts', import.meta.url).href,
    maxThreads: 2,
  });
  const primes: number[] = [];
  const worker = jobs.work(
    {
      'count-primes': async (job) => {
        const payload = JSON.parse(textOf(job));
        primes.push(await pool.run(payload, { signal: job.signal }));
      },
    },
    { concurrency: 2 },
  );

  t.after(async () => {
    await worker.stop({ graceMs: 0 });
    await jobs.close();
    await pool.destroy();
  });
  await jobs.enqueue([
    { id: 'short', topic: 'count-primes', body: '{"below":100}' },
    { id: 'endless', topic: 'count-primes', body: '{"below":1e15}' },
  ]);
  await eventually(
    () => jobs.stats(),
    ({ successful }) => successful === 1,
    'one is done',
  );
  await eventually(
    () => jobs.status('endless'),
    (job) => job?.state === 'running',
    'it runs',
  );
  assert.equal(await jobs.cancel('endless'), true);
  await eventually(
    () => worker.inspect().inFlight,
    (count) => count === 0,
    'it has ended',
  );
  await eventually(
    () => pool.threads.length,
    (count) => count <= 1,
    'its thread has ended',
  );
  assert.deepEqual([primes, (await jobs.status('endless'))?.state], [[25], 'cancelled']);
});

test('the guide’s schedules run', async (t) => {
  const { path } = await world(t);
  const jobs = await openJobs({ store: sqliteStore({ path }) });
  t.after(() => jobs.close());

  jobs.schedule('clean-up', { everyMs: 15 * 60_000 }, { topic: 'clean-up', body: '' });

  const cron = new Cron('30 3 * * *', { timezone: 'Europe/Vienna' });
  const nightly = jobs.schedule('report', { next: (after) => cron.nextRun(after) }, (tick) => ({
    topic: 'report',
    body: JSON.stringify({ day: tick.toISOString().slice(0, 10) }),
  }));

  await eventually(
    () => jobs.stats(),
    ({ queued }) => queued === 2,
    'the next ticks wait',
  );
  assert.equal((await jobs.status(nightly.idOf(nightly.nextAt!)))?.state, 'queued');
});

/** What the guide's examples speak of and do not show. */
async function world(t: TestContext) {
  const directory = await tempDir(t);
  const heard = new Map<string, () => void>();
  const codes: number[] = [];
  const process = {
    codes,
    on: (signal: string, listener: () => void) => heard.set(signal, listener),
    off: (signal: string) => heard.delete(signal),
    exit: (code: number) => void codes.push(code),
    signal: (name: string) => heard.get(name)?.(),
  };
  const done: string[] = [];
  const resize = Object.assign(
    async (id: string, width: number, _signal: AbortSignal) => void done.push(`${id}:${width}`),
    { done },
  );
  const sendMail = async (to: string, _options: { signal: AbortSignal }) => ({
    status: to.startsWith('nobody') ? 422 : 250,
  });
  const rows: string[] = [];
  const insertRows = Object.assign(async (more: string[]) => void rows.push(...more), { rows });
  const lines: string[] = [];
  const log = Object.assign((...words: string[]) => void lines.push(words.join(' ')), { lines });
  return {
    directory,
    path: join(directory, 'jobs.db'),
    process,
    resize,
    sendMail,
    insertRows,
    log,
  };
}
