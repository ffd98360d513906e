import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { hedge } from '../hedge/hedge.ts';
import { pipeline } from '../pipeline.ts';
import type { Criticality } from '../policy.ts';
import { createRegistry } from '../registry.ts';
import { record } from '../testing/record.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { virtualWorld } from '../testing/virtual-world.ts';
import { timeout } from '../timeout/timeout.ts';
import { bulkhead } from './bulkhead.ts';
import type { BulkheadOptions } from './options.ts';

describe('bulkhead', () => {
  test('runs as many at a time as it may, the others in order of arrival', async () => {
    const { clock, p } = setUp({ limit: 2, queueLimit: 10 });
    const began: Array<[number, number]> = [];
    await clock.run(() =>
      Promise.all(
        [0, 1, 2, 3, 4].map((n) =>
          p.execute(async () => {
            began.push([n, clock.now()]);
            await clock.sleep(100);
          }),
        ),
      ),
    );
    assert.deepEqual(began, [
      [0, 0],
      [1, 0],
      [2, 100],
      [3, 100],
      [4, 200],
    ]);
  });

  test('refuses those for whom there is no room, and says what the matter is', async () => {
    const { clock, p, events } = setUp({ limit: 1, queueLimit: 1 });
    const refusal = await clock.run(async () => {
      const admitted = [p.execute(() => clock.sleep(10)), p.execute(() => clock.sleep(10))];
      const third = await p.execute(async () => 'in').catch((error: unknown) => error);
      await Promise.all(admitted);
      return third as Error & { code: string };
    });
    assert.deepEqual(
      [refusal.code, refusal.message],
      [
        'BULKHEAD_FULL',
        'Bulkhead "bulkhead" is full: 1 running, 1 waiting. Try again when some have ended.',
      ],
    );
    assert.deepEqual(
      events.flatMap((event) =>
        event.type === 'queued' ? [[event.waitedMs, event.admitted]] : [],
      ),
      [[10, true]],
    );
  });

  test('ends a wait that takes too long', async () => {
    const { clock, p, events } = setUp({ limit: 1, queueLimit: 1, queueTimeoutMs: 30 });
    const outcome = await clock.run(async () => {
      const long = p.execute(() => clock.sleep(100));
      const waiting = await p
        .execute(async () => 'in')
        .catch(({ code, message }) => [code, clock.now(), message]);
      await long;
      return waiting;
    });
    assert.deepEqual(outcome, [
      'QUEUE_TIMED_OUT',
      30,
      'A call waited 30 ms for a place in bulkhead "bulkhead" and got none. Try again when some have ended.',
    ]);
    assert.deepEqual(
      events.flatMap((event) =>
        event.type === 'queued' ? [[event.waitedMs, event.admitted]] : [],
      ),
      [[30, false]],
    );
    assert.deepEqual(p.inspect().policies[0]?.bulkhead, { active: 0, queued: 0 });
  });

  test('gives the place of a timed-out call to the next, whatever its function still does', async () => {
    const clock = new VirtualClock();
    const p = pipeline('p', [timeout({ limitMs: 50 }), bulkhead({ limit: 1, queueLimit: 5 })], {
      clock,
    });
    const outcomes = await clock.run(() =>
      Promise.allSettled([p.execute(() => new Promise(() => {})), p.execute(async () => 'second')]),
    );
    // Both limits end at the same moment; the first one's makes room before the second one's rings.
    assert.deepEqual(
      outcomes.map(({ status }) => status),
      ['rejected', 'fulfilled'],
    );
    assert.deepEqual(p.inspect().policies[1]?.bulkhead, { active: 0, queued: 0 });
  });

  test('lets in who came last where it is told to', async () => {
    const { clock, p } = setUp({ limit: 1, queueLimit: 10, order: 'lifo' });
    const order: number[] = [];
    await clock.run(() =>
      Promise.all(
        [0, 1, 2, 3].map((n) =>
          p.execute(async () => {
            order.push(n);
            await clock.sleep(10);
          }),
        ),
      ),
    );
    assert.deepEqual(order, [0, 3, 2, 1]);
  });

  test('lets in who matters most, and puts out who matters least when the queue is full', async () => {
    const { clock, p, events } = setUp({ limit: 1, queueLimit: 3, order: 'criticality' });
    const ran: string[] = [];
    const refused: string[] = [];
    const call = (name: string, criticality: Criticality) =>
      p
        .execute(
          async () => {
            ran.push(name);
            await clock.sleep(10);
          },
          { criticality },
        )
        .catch(({ code }: { code: string }) => refused.push(`${name}: ${code}`));
    await clock.run(() =>
      Promise.all([
        call('first', 'sheddable'),
        call('batch 1', 'sheddable'),
        call('batch 2', 'sheddable'),
        call('user', 'critical'),
        call('payment', 'critical-plus'),
        call('report', 'sheddable-plus'),
        call('batch 3', 'sheddable'),
      ]),
    );
    assert.deepEqual(
      [ran, refused],
      [
        ['first', 'payment', 'user', 'report'],
        ['batch 2: BULKHEAD_FULL', 'batch 1: BULKHEAD_FULL', 'batch 3: BULKHEAD_FULL'],
      ],
    );
    const waits = events.filter((event) => event.type === 'queued');
    assert.deepEqual(
      waits.map(({ admitted, waitedMs }) => [admitted, waitedMs]),
      [
        [false, 0],
        [false, 0],
        [true, 10],
        [true, 20],
        [true, 30],
      ],
    );
  });

  test('lets in at once who puts out one whose going leaves a place: it was let in, and then waited as well', async () => {
    const { clock, env, left } = virtualWorld();
    const p = pipeline(
      'p',
      [
        hedge({ delayMs: 10, failureWins: true }),
        bulkhead({ limit: 1, queueLimit: 1, queueTimeoutMs: 500, order: 'criticality' }),
      ],
      env,
    );
    const ended: unknown[] = [];
    const said = (what: unknown) => ended.push(`${what} ${clock.now()}`);
    const call = (name: string, criticality: Criticality) =>
      p
        .execute(() => clock.sleep(100).then(() => name), { criticality })
        .then(said, ({ code }) => said(code));
    // Its hedge waits for a place that its first attempt holds.
    void call('less', 'sheddable');
    await clock.advance(20);
    void call('more', 'critical');
    await clock.advance(1_000);
    assert.deepEqual(ended, ['BULKHEAD_FULL 20', 'more 120']);
    assert.deepEqual([p.inspect().policies[1]?.bulkhead, left()], [{ active: 0, queued: 0 }, []]);
  });

  test('tells of no wait whose beginning nobody heard', async () => {
    const clock = new VirtualClock();
    const registry = createRegistry();
    const p = pipeline('p', [bulkhead({ limit: 1, queueLimit: 3, queueTimeoutMs: 160 })], {
      clock,
      registry,
    });
    const { events, listener } = record();
    const waits = () =>
      events.flatMap((event) => (event.type === 'queued' ? [event.waitedMs] : []));
    const calls = [1, 2, 3].map(() => p.execute(() => clock.sleep(100)).catch(() => {}));
    await clock.advance(50);
    registry.listen(listener);
    calls.push(p.execute(() => {}).catch(() => {}));
    await clock.run(() => Promise.all(calls));
    assert.deepEqual(waits(), [150]);
  });

  test('works off a thousand waiters that end at once without going a thousand deep', async () => {
    const { clock, p } = setUp({ limit: 1, queueLimit: 20_000 });
    let calls = 0;
    const first = p.execute(() => clock.sleep(10));
    const waiting = Array.from({ length: 20_000 }, () => p.execute(() => (calls += 1)));
    await clock.run(() => Promise.all([first, ...waiting]));
    assert.equal(calls, 20_000);
  });

  test('refuses options that cannot work, naming the culprit', () => {
    assert.throws(() => bulkhead({ limit: 0 }), {
      name: 'RangeError',
      message: 'bulkhead.limit must be a whole number from 1 to 1000000, not 0.',
    });
    assert.throws(() => bulkhead({ limit: 1, queueLimit: -1 }), /bulkhead\.queueLimit/);
    assert.throws(() => bulkhead({ limit: 1, queueTimeoutMs: Number.NaN }), /queueTimeoutMs/);
    assert.throws(() => bulkhead({ limit: 1, order: 'random' as never }), /bulkhead\.order/);
    assert.throws(() => bulkhead({} as BulkheadOptions), /bulkhead\.limit .* not undefined/);
  });
});

function setUp(options: BulkheadOptions) {
  const clock = new VirtualClock();
  const { events, listener } = record();
  return { clock, events, p: pipeline('p', [bulkhead(options)], { clock, report: listener }) };
}
