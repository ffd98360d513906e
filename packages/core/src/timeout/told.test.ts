import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bulkhead } from '../bulkhead/bulkhead.ts';
import { hedge } from '../hedge/hedge.ts';
import { pipeline } from '../pipeline.ts';
import type { Policy } from '../policy.ts';
import { retry } from '../retry/retry.ts';
import { record } from '../testing/record.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { deadline } from './deadline.ts';
import { timeout } from './timeout.ts';

const never = () => new Promise<never>(() => {});

test('a time-out tells which attempt it ended, of those beside each other as well', async () => {
  const { clock, events, p } = setUp(hedge({ delayMs: 10 }), timeout({ limitMs: 50 }));
  await clock.run(() => p.execute(never).catch(() => {}));
  assert.deepEqual(attempts(events), [1, 2]);
});

test('a time-out of a call that waits tells that there was no attempt', async () => {
  const limitFor = ({ key }: { key?: string | undefined }) => (key === 'waits' ? 20 : undefined);
  const limit = timeout({ limitMs: 50, limitFor });
  const { clock, events, p } = setUp(limit, bulkhead({ limit: 1, queueLimit: 1 }));
  const running = p.execute(never).catch(() => {});
  const waiting = p.execute(never, { key: 'waits' }).catch(() => {});
  await clock.run(() => Promise.all([running, waiting]));
  assert.deepEqual(attempts(events), [0, 1]);
});

test('a deadline is not held against a time-out around its retry, only against those of its attempts', () => {
  const rules = (...policies: readonly Policy[]) =>
    pipeline('p', policies, { registry: undefined })
      .explain()
      .remarks.map(({ rule }) => rule);
  const [whole, again, limit] = [
    deadline({ limitMs: 300 }),
    retry({ maxRetries: 1, delayMs: 0 }),
    timeout({ limitMs: 200 }),
  ];
  assert.deepEqual(
    [rules(whole, limit, again), rules(whole, again, limit)],
    [['timeout-around-retry'], ['retries-outlast-deadline']],
  );
});

function setUp(...policies: readonly Policy[]) {
  const clock = new VirtualClock();
  const { events, listener } = record();
  const p = pipeline('p', policies, { clock, report: listener, registry: undefined });
  return { clock, events, p };
}

const attempts = (events: ReturnType<typeof record>['events']) =>
  events.flatMap((event) => (event.type === 'timeout' ? [event.attempt] : []));
