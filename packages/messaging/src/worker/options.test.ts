import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VirtualClock } from '@holdfast/core/testing';
import { memoryStore } from '../memory-store.ts';
import { RetryLaterError } from './endings/job-errors.ts';
import { openJobs } from './jobs.ts';
import type { JobHandlers } from './kind.ts';
import type { WorkerOptions } from './options.ts';

const clock = new VirtualClock();
const jobs = await openJobs({ store: memoryStore({ clock }), clock });
const handle = () => {};

for (const [options, message] of [
  [{ concurrency: 0 }, 'worker.concurrency must be a whole number from 1 to 10000, not 0.'],
  [{ maxDeliveries: 0 }, 'worker.maxDeliveries must be a whole number from 1 to 1000, not 0.'],
  [{ delayMs: -1 }, 'worker.delayMs must be a whole number from 0 to 2147483647, not -1.'],
  [{ maxDelayMs: 10 }, 'worker.maxDelayMs must be a whole number from 1000 to 2147483647, not 10.'],
  [{ timeoutMs: 0 }, 'worker.timeoutMs must be a number from 1 to 2147483647, not 0.'],
  [{ leaseMs: 10 }, 'worker.leaseMs must be a whole number from 100 to 600000, not 10.'],
  [{ pollMs: 1 }, 'worker.pollMs must be a whole number from 10 to 600000, not 1.'],
  [{ graceMs: -5 }, 'worker.graceMs must be a whole number from 0 to 600000, not -5.'],
  [{ windowMs: 5 }, 'worker.windowMs must be a whole number from 1000 to 3600000, not 5.'],
  [
    { resultLifetimeMs: 0 },
    'worker.resultLifetimeMs must be a whole number from 1 to 316224000000, not 0.',
  ],
  [{ progressMs: 0 }, 'worker.progressMs must be a whole number from 100 to 600000, not 0.'],
  [{ rateLimit: { limit: 0 } }, 'rateLimit.limit must be a whole number from 1 to 1000000, not 0.'],
] as [WorkerOptions, string][]) {
  test(`a worker refuses ${JSON.stringify(options)}, naming what is wrong`, () => {
    assert.throws(() => jobs.work({ work: handle }, options), { name: 'RangeError', message });
  });
}

for (const [given, message] of [
  [
    { handle, concurrency: 0 },
    'worker["work"].concurrency must be a whole number from 1 to 10000, not 0.',
  ],
  [{ handle, batch: 0 }, 'worker["work"].batch must be a whole number from 1 to 1000, not 0.'],
  [
    { handle, timeoutMs: NaN },
    'worker["work"].timeoutMs must be a number from 1 to 2147483647, not NaN.',
  ],
  [{}, 'worker["work"] must be a function, or have one as `handle`, not object.'],
  ['resize', 'worker["work"] must be a function, or have one as `handle`, not string.'],
] as [unknown, string][]) {
  test(`a topic refuses ${JSON.stringify(given)}, naming the topic`, () => {
    assert.throws(() => jobs.work({ work: given } as JobHandlers), { message });
  });
}

test('a worker without a handler is refused, with what one looks like', () => {
  assert.throws(() => jobs.work({}), {
    message: 'jobs.work needs a handler for at least one topic: `{ "resize-image": handler }`.',
  });
});

test('a job cannot be asked for later than a store may hold it', () => {
  assert.throws(() => new RetryLaterError({ delayMs: 2 ** 31 }), {
    message: 'RetryLaterError.delayMs must be a whole number from 0 to 2147483647, not 2147483648.',
  });
});
