import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { VirtualClock } from '@holdfast/core/testing';
import type { Ledger } from '../books/ledger.ts';
import type { LedgerEntry } from '../books/ledger-entry.ts';
import type { Answer, HttpClient } from './http-client.ts';
import { burst, startTraffic } from './load.ts';
import type { Desk, Submission } from './submission.ts';

describe('burst', () => {
  test('writes every attempt before it is sent, and every promise before it counts', async () => {
    const clock = new VirtualClock();
    const { desk, order } = deskOn(clock, () => 202);

    const summary = await clock.run(() => burst(desk, clock, { submission, count: 1 }));

    assert.deepEqual([summary.sent, summary.accepted, summary.statuses], [1, 1, { '202': 1 }]);
    assert.deepEqual(order, ['attempted', 'sent', 'accepted']);
  });

  test('keeps apart what was refused and what nobody knows', async () => {
    const clock = new VirtualClock();
    let n = 0;
    const { desk, order } = deskOn(clock, () => [202, 400, 503, 0][n++ % 4] ?? 0);

    const { accepted, refused, unknown, statuses } = await clock.run(() =>
      burst(desk, clock, { submission, count: 4 }),
    );

    assert.deepEqual([accepted, refused, unknown], [1, 1, 2]);
    assert.deepEqual(statuses, { '202': 1, '400': 1, '503': 1, none: 1 });
    assert.deepEqual(order.filter((kind) => kind === 'accepted' || kind === 'refused').length, 2);
  });

  test('refuses a size that cannot work', async () => {
    const clock = new VirtualClock();
    const { desk } = deskOn(clock, () => 202);

    await assert.rejects(burst(desk, clock, { submission, count: 0 }), {
      name: 'RangeError',
      message: 'burst.count must be a whole number from 1 to 100000, not 0.',
    });
  });
});

describe('background traffic', () => {
  test('keeps its rate however slow the answers are, up to what may be under way', async () => {
    const clock = new VirtualClock();
    const { desk } = deskOn(clock, () => 202, 1_000);

    const summary = await clock.run(async () => {
      const traffic = startTraffic(desk, clock, { submission, perSecond: 10, maxInFlight: 5 });
      await clock.sleep(1_950);
      return traffic.stop();
    });

    // At 0, 100 … 400 ms five are sent, then five are skipped until the first answer at 1,000 ms.
    assert.deepEqual(
      [summary.sent, summary.skipped, summary.accepted, summary.latency.maxMs],
      [10, 10, 10, 1_000],
    );
  });

  test('stops when the drill is interrupted', async () => {
    const clock = new VirtualClock();
    const interrupt = new AbortController();
    const { desk } = deskOn(clock, () => 202, 10, interrupt.signal);

    const summary = await clock.run(async () => {
      const traffic = startTraffic(desk, clock, { submission, perSecond: 10 });
      await clock.sleep(250);
      interrupt.abort();
      await clock.sleep(10_000);
      return traffic.stop();
    });

    assert.equal(summary.sent, 3);
  });

  test('refuses a rate that cannot work', () => {
    const clock = new VirtualClock();
    const { desk } = deskOn(clock, () => 202);

    assert.throws(() => startTraffic(desk, clock, { submission, perSecond: 0 }), {
      name: 'RangeError',
      message: 'traffic.perSecond must be from above 0 to 10000, not 0.',
    });
  });
});

const submission: Submission = {
  request: () => ({ method: 'POST', path: '/work' }),
  judge: ({ status }) => {
    if (status === 202) return { kind: 'accepted', id: 'x' };
    return status >= 400 && status < 500
      ? { kind: 'refused', why: 'no' }
      : { kind: 'unknown', why: 'who knows' };
  },
};

/** A desk whose ledger and service note the order of things; the service answers after `tookMs`. */
function deskOn(
  clock: VirtualClock,
  status: () => number,
  tookMs = 1,
  signal = new AbortController().signal,
): { desk: Desk; order: string[] } {
  const order: string[] = [];
  const http: HttpClient = {
    baseUrl: 'http://127.0.0.1',
    close() {},
    async send() {
      order.push('sent');
      await clock.sleep(tookMs);
      const answer: Answer = {
        status: status(),
        headers: {},
        text: '',
        json: {},
        tookMs,
        reached: true,
      };
      return answer;
    },
  };
  const ledger: Pick<Ledger, 'append'> = {
    async append(entry: LedgerEntry) {
      await clock.sleep(1);
      order.push(entry.kind);
    },
  };
  return { desk: { drill: 'd', http, ledger, signal }, order };
}
