import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { pipeline } from '../../pipeline.ts';
import { record } from '../../testing/record.ts';
import { VirtualClock } from '../../testing/virtual-clock.ts';
import { circuitBreaker } from '../breaker.ts';
import type { CircuitStore, NodeReport, SharedVerdict } from './circuit-store.ts';
import type { SharedCircuitOptions } from './options.ts';

const calm: SharedVerdict = {
  era: 1,
  state: 'closed',
  failing: 0,
  nodes: 1,
  mayProbe: false,
  retryAfterMs: 0,
};

/** Two of three nodes find it ill. */
const OPEN: SharedVerdict = {
  ...calm,
  era: 2,
  state: 'open',
  failing: 2,
  nodes: 3,
  retryAfterMs: 9_000,
};

describe('what a node reports of its circuit', () => {
  test('is what its own calls find: soon after a change, else once per interval', async () => {
    const w = setUp();
    await w.at(0, 'ok');
    await w.at(10, 'fail');
    await w.at(109, 'ok');
    await w.at(110, 'ok');
    await w.at(1_109, 'ok');
    await w.at(1_110, 'ok');
    assert.deepEqual(w.told(), [
      '0: well, open for 5000',
      '110: failing, open for 5000, wants to probe',
      '1110: failing, open for 5000, wants to probe',
    ]);
    // The probe begins, and says nothing until it ends.
    const probe = w.begin(5_010);
    await w.at(5_111, 'ok');
    await w.end(probe, 5_200);
    await w.at(5_299, 'ok');
    await w.at(5_300, 'ok');
    await w.at(5_310, 'fail');
    await w.at(5_410, 'ok');
    assert.deepEqual(w.told().slice(3), [
      '5010: failing, open for 5000, wants to probe',
      '5300: well, open for 5000',
      '5410: failing, open for 10000, wants to probe',
    ]);
    assert.ok(w.reports.every(({ report }) => !('probed' in report)));
  });

  test('says of a probe that was granted how it went, again if the store did not hear it', async () => {
    const w = setUp();
    await w.at(0, 'fail');
    w.verdict = { ...calm, era: 2, state: 'open', failing: 2, nodes: 3, mayProbe: true };
    await w.at(100, 'ok');
    const state = w.state();
    w.verdict = undefined;
    await w.at(200, 'ok');
    await w.at(1_200, 'ok');
    w.verdict = calm;
    await w.at(3_300, 'ok');
    assert.deepEqual(
      [state, w.reports.map(({ report: { probed } }) => probed)],
      ['half-open', [undefined, undefined, 'well', 'well']],
    );
  });

  test('moves it along: open for as long as others say, and longer in case the store falls silent', async () => {
    const w = setUp();
    await w.at(70_000, 'ok');
    const open = { ...calm, era: 2, state: 'open', failing: 2, nodes: 3 } as const;
    w.verdict = { ...open, retryAfterMs: 3_000 };
    await w.at(71_000, 'ok');
    const first = w.circuit();
    w.verdict = { ...open, retryAfterMs: 1_500 };
    await w.at(72_000, 'ok');
    const left = [first.state, first.retryAfterMs, w.circuit().retryAfterMs];
    w.verdict = { ...calm, era: 3 };
    await w.at(73_000, 'ok');
    assert.deepEqual([left, w.circuit().state], [['open', 6_000, 4_500], 'half-open']);
    assert.equal(w.circuit().why, 'another node has found it well');
  });

  test('is sent soon after one that was on its way while the circuit changed', async () => {
    const w = setUp();
    w.answersAfterMs = 300;
    await w.at(0, 'ok');
    await w.at(150, 'fail');
    for (const ms of [301, 302, 400, 999]) await w.at(ms, 'ok');
    assert.deepEqual(
      w.reports.map(({ atMs }) => atMs),
      [0, 301],
    );
  });

  test('is not hastened by a circuit that flutters while the store is down', async () => {
    const w = setUp();
    w.verdict = undefined;
    await w.at(0, 'ok');
    await w.at(10, 'fail');
    for (const ms of [110, 200, 999]) await w.at(ms, 'ok');
    assert.equal(w.reports.length, 1);
    await w.at(1_000, 'ok');
    assert.equal(w.reports.length, 2);
  });

  test('has an end when its time is over: an answer that comes later is not heard', async () => {
    const w = setUp();
    w.answersAfterMs = 1_500;
    await w.at(0, 'ok');
    await w.at(1_600, 'ok');
    assert.deepEqual(
      [w.circuit().shared, w.failures()],
      [undefined, ['The circuit store did not answer within 1000 ms.']],
    );
  });

  test('tells at once of a store that throws, with its own words', async () => {
    const w = setUp();
    w.throws = true;
    await w.at(0, 'ok');
    assert.deepEqual(w.failures(), ['store thrown down']);
  });

  test('is for the circuit that its options name, or for that of the pipeline and the policy', async () => {
    const named = setUp({ circuit: 'payments' });
    const unnamed = setUp();
    for (const w of [named, unnamed]) await w.at(0, 'ok');
    assert.deepEqual(
      [named, unnamed].map(({ reports }) => reports[0]?.circuit),
      ['payments', 'p/circuit'],
    );
  });

  test('goes on after a swap by the new rules, in their intervals', async () => {
    const w = setUp();
    await w.at(0, 'ok');
    w.swap({ openMs: 9_000, intervalMs: 3_000 });
    await w.at(1_000, 'ok');
    for (const ms of [2_000, 3_999, 4_000]) await w.at(ms, 'ok');
    assert.deepEqual(w.told(), [
      '0: well, open for 5000',
      '1000: well, open for 9000',
      '4000: well, open for 9000',
    ]);
  });

  test('is no vote in an era that has begun since: others have found it well', async () => {
    const w = setUp();
    await w.at(0, 'fail');
    w.verdict = OPEN;
    await w.at(1_000, 'ok');
    w.verdict = { ...calm, era: 3 };
    await w.at(2_000, 'ok');
    // Its own probe is under way, and has not said anything yet.
    const probe = w.begin(2_900);
    await w.at(3_000, 'ok');
    assert.deepEqual(
      w.reports.map(({ report: { failing } }) => failing),
      [false, true, true, false],
    );
    assert.equal(w.circuit().opened, 1, 'it has opened once by itself');
    await w.end(probe, 3_100);
  });

  test('goes on saying that it fails while the others find that as well, in the same era', async () => {
    const w = setUp();
    await w.at(0, 'fail');
    w.verdict = OPEN;
    for (const ms of [1_000, 2_000, 3_000]) await w.at(ms, 'ok');
    assert.deepEqual(
      w.reports.map(({ report: { failing } }) => failing),
      [false, true, true, true],
    );
  });

  test('is not sent twice at once, nor sooner than a store that failed is to be left alone', async () => {
    const w = setUp();
    w.hangs = true;
    await w.at(0, 'ok');
    await w.at(10, 'fail');
    await w.at(500, 'ok');
    assert.equal(w.reports.length, 1);
    // Its time is over at 1000; it is asked again an interval later, and then after two.
    w.hangs = false;
    w.verdict = undefined;
    await w.at(1_999, 'ok');
    const early = w.reports.length;
    await w.at(2_000, 'ok');
    await w.at(3_999, 'ok');
    const again = w.reports.length;
    await w.at(4_000, 'ok');
    assert.deepEqual([early, again, w.reports.length], [1, 2, 3]);
    assert.deepEqual(w.failures(), [
      'The circuit store did not answer within 1000 ms.',
      'store down',
      'store down',
    ]);
  });
});

function setUp(given: Partial<SharedCircuitOptions> = {}) {
  const clock = new VirtualClock();
  const { events, listener } = record();
  const reports: { atMs: number; circuit: string; report: NodeReport }[] = [];
  const store: CircuitStore = {
    exchange(circuit, report) {
      reports.push({ atMs: clock.now(), circuit, report });
      if (w.throws) throw new Error('store thrown down');
      return answer();
    },
  };
  const answer = async () => {
    if (w.hangs) return new Promise<never>(() => {});
    if (w.answersAfterMs > 0) await clock.sleep(w.answersAfterMs);
    if (w.verdict === undefined) throw new Error('store down');
    return w.verdict;
  };
  const options = { consecutiveFailures: 1, openMs: 5_000, openFactor: 2 };
  const shared = { store, intervalMs: 1_000, node: 'n', ...given };
  const p = pipeline('p', [circuitBreaker({ ...options, shared })], { clock, report: listener });
  const w = {
    reports,
    /** What the store answers; undefined: it is down. */
    verdict: calm as SharedVerdict | undefined,
    hangs: false,
    throws: false,
    answersAfterMs: 0,
    swap({ openMs, intervalMs }: { openMs: number; intervalMs: number }) {
      const rules = { ...options, openMs, shared: { ...shared, intervalMs } };
      p.swap([circuitBreaker(rules)]);
    },
    async at(ms: number, what: 'ok' | 'fail') {
      await clock.advance(ms - clock.now());
      const fn = () => (what === 'ok' ? 'up' : Promise.reject(new Error('down')));
      await p.execute(fn).catch(() => {});
      await clock.advance(0);
    },
    /** A call that begins then, and ends when it is told to. */
    begin(ms: number) {
      let end = () => {};
      const ended = new Promise<void>((resolve) => {
        end = resolve;
      });
      const begun = clock.advance(ms - clock.now()).then(() => void p.execute(() => ended));
      return { begun, end };
    },
    async end({ begun, end }: { begun: Promise<void>; end: () => void }, ms: number) {
      await begun;
      await clock.advance(ms - clock.now());
      end();
      await clock.advance(0);
    },
    circuit: () => p.inspect().policies[0]!.circuit!,
    state: () => w.circuit().state,
    told: () =>
      reports.map(({ atMs, report: { failing, openMs, probeMs } }) =>
        [
          `${atMs}: ${failing ? 'failing' : 'well'}`,
          `open for ${openMs}`,
          ...(probeMs > 0 ? ['wants to probe'] : []),
        ].join(', '),
      ),
    failures: () =>
      events.flatMap((event) =>
        event.type === 'store-failed' ? [(event.error as Error).message] : [],
      ),
  };
  return w;
}
