import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { StoreUnavailableError } from '../errors.ts';
import type { MessageStore } from '../store.ts';
import { runJobs } from '../testing/run-jobs.ts';

describe('how far a job is, as the store has it', () => {
  test('of ninety words in six seconds the last of each second is written, for all jobs at once', async () => {
    const { writes, leftTimers } = await talking({ jobs: 2, words: 90, everyMs: 70 });

    assert.deepEqual(writes, [
      'a 0, b 0 at 0',
      ...[14, 28, 42, 57, 71, 85].map((n, s) => `a ${n}, b ${n} at ${s + 1}000`),
    ]);
    assert.equal(leftTimers, 0);
  });

  test('who says nothing more is written once', async () => {
    const { writes } = await talking({ jobs: 1, words: 1, everyMs: 5_000 });

    assert.deepEqual(writes, ['a 0 at 0']);
  });

  test('what a job that has ended said last is not written any more', async () => {
    const { writes, done } = await talking({ jobs: 1, words: 3, everyMs: 100 });

    assert.deepEqual([writes, done], [['a 0 at 0'], 1]);
  });

  test('progressMs: Infinity writes nothing', async () => {
    const { writes } = await talking({ jobs: 1, words: 50, everyMs: 100, progressMs: Infinity });

    assert.deepEqual(writes, []);
  });

  test('a store that cannot keep it disturbs no job, and has the next word when it is well again', async () => {
    const { writes, done } = await talking({ jobs: 1, words: 50, everyMs: 70, failures: 2 });

    assert.deepEqual([writes, done], [['a 28 at 2000', 'a 42 at 3000'], 1]);
  });
});

/** Jobs that say `0`, `1`, … every `everyMs`, and what came to the store of it. */
async function talking({
  jobs,
  words,
  everyMs,
  failures = 0,
  ...options
}: {
  readonly jobs: number;
  readonly words: number;
  readonly everyMs: number;
  readonly failures?: number;
  readonly progressMs?: number;
}) {
  const writes: string[] = [];
  let left = failures;
  let now = () => 0;
  let sleep: (ms: number) => Promise<void> = async () => {};
  const storeOf = (real: MessageStore): MessageStore => ({
    ...real,
    async note(notes) {
      if (left-- > 0) throw new StoreUnavailableError('away', 100);
      const said = notes.map(({ lease, text }) => `${lease.message.id} ${text}`).join(', ');
      writes.push(`${said} at ${now()}`);
      return real.note(notes);
    },
  });
  const { stats, leftTimers } = await runJobs(
    {
      async work(job) {
        for (let word = 0; word < words; word += 1) {
          job.progress(String(word));
          await sleep(everyMs);
        }
      },
    },
    async ({ enqueue, clock }) => {
      const startMs = clock.now();
      now = () => clock.now() - startMs;
      sleep = (ms) => clock.sleep(ms);
      await enqueue(...['a', 'b'].slice(0, jobs));
      await clock.sleep(words * everyMs + 10_000);
    },
    { storeOf, ...options },
  );
  return { writes, done: stats.successful, leftTimers };
}
