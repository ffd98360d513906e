import assert from 'node:assert/strict';
import { test } from 'node:test';
import { redisRateStore } from '@holdfast/core/redis';
import { redisServer, withServer } from '@holdfast/test-servers';
import { Redis } from 'ioredis';
import { memoryStore } from '../memory-store.ts';
import { eventually } from '../testing/eventually.ts';
import { openJobs } from './jobs.ts';

test('a rate of a topic with a store is one for the workers of all processes, and no job is lost to it', async (t) => {
  const server = await withServer(t, redisServer);
  if (server === undefined) return;
  const store = memoryStore();
  const begun: number[] = [];
  const processes = await Promise.all(
    [1, 2, 3].map(async () => {
      const redis = new Redis(server.url);
      t.after(() => redis.disconnect());
      const jobs = await openJobs({ store });
      t.after(() => jobs.close());
      const rateLimit = {
        limit: 10,
        intervalMs: 500,
        algorithm: 'sliding-window',
        store: redisRateStore(redis),
        storeTimeoutMs: 10_000,
      } as const;
      jobs.work(
        { mail: { handle: () => void begun.push(performance.now()), rateLimit } },
        { pollMs: 20 },
      );
      return jobs;
    }),
  );

  const ids = Array.from({ length: 35 }, (_, n) => `mail-${n}`);
  await processes[0]!.enqueue(ids.map((id) => ({ id, topic: 'mail', body: '' })));
  await eventually(
    () => begun.length,
    (count) => count === 35,
    'all are done',
  );

  // Ten at once, and thirty-five need three intervals more; a turn is taken a moment before its job begins.
  const tookMs = begun.at(-1)! - begun[0]!;
  assert.ok(tookMs >= 1_400, `${tookMs} ms`);
  assert.equal((await processes[0]!.stats()).dead, 0);
});
