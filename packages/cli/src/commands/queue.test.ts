import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { openJobs } from '@holdfast/messaging';
import { sqliteStore } from '@holdfast/messaging/sqlite';
import { until } from '@holdfast/test-servers';
import { type QueueAction, queue } from './queue.ts';

test('pause keeps a topic from the workers of a process that has the file open, stats tells, and resume ends it', async (t) => {
  const { jobs, run } = await jobsFile(t);
  const done: string[] = [];
  const paused = [
    ...(await run('pause', ['mail'])),
    ...(await run('pause', ['none'], { minutes: '90' })),
  ];
  jobs.work(
    { mail: ({ id }) => void done.push(id), other: ({ id }) => void done.push(id) },
    { pollMs: 20 },
  );
  await until('the other is done', async () => (await jobs.stats()).successful === 1);
  const again = await run('pause', ['mail']);
  const told = await run('stats');
  const json = JSON.parse((await run('stats', [], { json: true })).join(''));
  const before = [...done];
  const resumed = await run('resume', ['mail', 'other']);
  await until('mail is done', async () => done.length === 2);

  assert.deepEqual(paused, [
    'mail is paused, in all processes.',
    'none is paused, in all processes, for 90 min.',
  ]);
  assert.deepEqual(again, ['mail was paused already, and still is.']);
  assert.deepEqual(
    told.map((line) => line.replaceAll(/\d+s/g, 'Ns')),
    [
      'waiting 1 (5 bytes), the oldest for Ns',
      'delivered 1',
      'dead 0',
      'PAUSED FOR ENDS IN TOPIC',
      'Ns when resumed mail',
      'Ns 1h none',
    ],
  );
  assert.deepEqual([json.queued, json.paused.length], [1, 2]);
  assert.deepEqual(before, ['other']);
  assert.deepEqual(resumed, ['mail goes on.', 'other was not paused.']);
});

/** Jobs that are open, one for `mail` and one for `other`. */
async function jobsFile(t: TestContext) {
  const dir = await mkdtemp(path.join(os.tmpdir(), 'holdfast-queue-'));
  const file = path.join(dir, 'jobs.db');
  const jobs = await openJobs({ store: sqliteStore({ path: file, busyTimeoutMs: 5_000 }) });
  t.after(async () => {
    await jobs.close();
    await rm(dir, { recursive: true, force: true });
  });
  await jobs.enqueue([
    { id: 'mail', topic: 'mail', body: 'x' },
    { id: 'other', topic: 'other', body: 'x' },
  ]);
  const run = async (action: QueueAction, topics: readonly string[] = [], options = {}) => {
    const out: string[] = [];
    const output = {
      // Widths of columns are of no interest here.
      out: (line: string) => void out.push(line.trim().replaceAll(/ {2,}/g, ' ')),
      err: (line: string) => void out.push(line),
    };
    await queue(action, topics, { store: file, ...options }, { output, cwd: dir, env: {} });
    return out;
  };
  return { jobs, run };
}
