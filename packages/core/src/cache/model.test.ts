import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { pipeline } from '../pipeline.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { cache } from './cache.ts';
import type { CacheOptions } from './options.ts';

/*
 * Nothing ever happens at the same moment twice, so that no order is left to
 * chance: steps come at whole milliseconds, run n of the dependency ends n/1024
 * after one, caller n leaves at (512 + n)/1024, a renewal is given up at 511/1024.
 */
const TICK = 1 / 1024;
const STEPS = 60;

type Step =
  | { readonly kind: 'call'; readonly key: string; readonly leavesMs: number | undefined }
  | { readonly kind: 'invalidate'; readonly key: string | undefined };

/** What the dependency does in its n-th run. `ms` undefined: at once, without a promise. */
interface Behaviour {
  readonly ms: number | undefined;
  readonly ends: 'well' | 'poorly' | 'badly';
}

interface Answer {
  readonly n: number;
  readonly bytes: number;
  readonly isPoor: boolean;
}

/** All that can be seen from outside, in order. */
type Seen = readonly (string | number)[];

type Options = Required<
  Pick<
    CacheOptions,
    | 'ttlMs'
    | 'staleMs'
    | 'staleIfErrorMs'
    | 'errorTtlMs'
    | 'maxEntries'
    | 'maxBytes'
    | 'maxRefreshes'
    | 'refreshTimeoutMs'
  >
>;

interface Program {
  readonly options: Options;
  readonly steps: readonly (readonly [afterMs: number, step: Step])[];
  readonly behaviours: readonly Behaviour[];
}

const sometimes = (ms: number) => fc.oneof(fc.constant(0), fc.integer({ min: 1, max: ms }));
const anyKey = fc.constantFrom('a', 'a', 'a', 'b', 'c');
const anyStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      kind: fc.constant('call' as const),
      key: anyKey,
      leavesMs: fc.oneof({ weight: 3, arbitrary: fc.constant(undefined) }, fc.nat(60)),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('invalidate' as const),
      key: fc.oneof(anyKey, fc.constant(undefined)),
    }),
  },
);
const anyProgram: fc.Arbitrary<Program> = fc.record({
  options: fc.record({
    ttlMs: sometimes(40),
    staleMs: sometimes(40),
    staleIfErrorMs: sometimes(200),
    errorTtlMs: sometimes(50),
    maxEntries: fc.integer({ min: 1, max: 3 }),
    maxBytes: fc.oneof(fc.constant(Infinity), fc.integer({ min: 1, max: 6 })),
    maxRefreshes: fc.nat(2),
    refreshTimeoutMs: fc.integer({ min: 5, max: 60 }).map((ms) => ms + 511 * TICK),
  }),
  steps: fc.array(fc.tuple(fc.nat(20), anyStep), { maxLength: STEPS, size: 'max' }),
  behaviours: fc.array(
    fc.record({
      ms: fc.oneof({ weight: 4, arbitrary: fc.nat(70) }, fc.constant(undefined)),
      ends: fc.constantFrom('well', 'well', 'well', 'poorly', 'badly'),
    }),
    { minLength: 2 * STEPS, maxLength: 2 * STEPS },
  ),
});

test('a cache does what a slow, obvious model of it says, whatever comes when', async () => {
  await fc.assert(
    fc.asyncProperty(anyProgram, async (program) => {
      // A promise settles a turn after the event that tells why: each is compared by itself.
      assert.deepEqual(apart(await play(program)), apart(new Model(program).play()));
    }),
    { numRuns: 400 },
  );
});

const isTold = ([what]: Seen) => what === 'told';
const apart = (seen: readonly Seen[]) => [seen.filter(isTold), seen.filter((one) => !isTold(one))];

/** The real one, in virtual time. */
async function play({ options, steps, behaviours }: Program): Promise<readonly Seen[]> {
  const clock = new VirtualClock();
  const seen: Seen[] = [];
  const sizeOf = (answer: Answer) => answer.bytes;
  const staleIfResult = (answer: Answer) => answer.isPoor;
  const p = pipeline('p', [cache({ ...options, sizeOf, staleIfResult })], {
    clock,
    registry: undefined,
    report(event) {
      if (event.type === 'cache') seen.push([event.result, event.ageMs ?? '']);
    },
  });
  let runs = 0;
  const run = (key: string) => {
    const n = runs;
    runs += 1;
    seen.push(['asked', clock.now(), key]);
    const { ms, ends } = behaviours[n]!;
    const end = () => {
      if (ends === 'badly') throw new Error(`${n}`);
      return answer(n, ends === 'poorly');
    };
    return ms === undefined ? end() : clock.sleep(ms + n * TICK).then(end);
  };
  for (const [call, [afterMs, step]] of steps.entries()) {
    await clock.advance(afterMs);
    if (step.kind === 'invalidate') {
      if (step.key === undefined) void p.invalidateAll();
      else void p.invalidate(step.key);
      continue;
    }
    const caller = new AbortController();
    const { key, leavesMs } = step;
    if (leavesMs !== undefined) {
      clock.timer(leavesMs + (512 + call) * TICK, () => caller.abort(new Error('gone')));
    }
    let degraded = '';
    const said = (what: string) => seen.push(['told', clock.now(), call, what, degraded]);
    const onDegraded = () => {
      degraded = 'degraded';
    };
    p.execute(() => run(key), { cacheKey: key, signal: caller.signal, onDegraded }).then(
      ({ n }) => said(`answer ${n}`),
      ({ message }: Error) => said(meaning(message)),
    );
    await clock.advance(0);
  }
  await clock.advance(1_000);
  assert.equal(clock.pendingTimers, 0);
  assert.equal(p.inspect().inFlight, 0);
  const { cache: snapshot } = p.inspect().policies[0]!;
  seen.push([snapshot!.entries, snapshot!.bytes, snapshot!.fetching]);
  return seen;
}

const answer = (n: number, isPoor = false): Answer => ({ n, bytes: n % 4, isPoor });
const meaning = (message: string) => (message.startsWith('A renewal') ? 'overdue' : message);

interface Kept {
  readonly key: string;
  readonly answer: Answer | undefined;
  readonly storedMs: number;
  readonly error: string;
  readonly errorUntilMs: number;
}

interface Asking {
  readonly key: string;
  readonly endsMs: number;
  readonly n: number;
  readonly outcome: string;
  readonly isRefresh: boolean;
  outdated: boolean;
  waiting: number[];
}

/** The same on arrays that are searched from end to end, moment by moment. */
class Model {
  readonly #program: Program;
  readonly #seen: Seen[] = [];
  /** The one asked for longest ago first. */
  #kept: Kept[] = [];
  #asking: Asking[] = [];
  #leaving: { readonly atMs: number; readonly call: number }[] = [];
  #nowMs = 0;
  #runs = 0;

  constructor(program: Program) {
    this.#program = program;
  }

  play(): readonly Seen[] {
    let atMs = 0;
    for (const [call, [afterMs, step]] of this.#program.steps.entries()) {
      atMs += afterMs;
      this.#passUntil(atMs);
      if (step.kind === 'invalidate') this.#invalidate(step.key);
      else this.#call(call, step.key, step.leavesMs);
    }
    this.#passUntil(atMs + 1_000);
    const bytes = this.#kept.reduce((sum, { answer }) => sum + (answer?.bytes ?? 0), 0);
    this.#seen.push([this.#kept.length, bytes, 0]);
    return this.#seen;
  }

  #passUntil(untilMs: number): void {
    for (;;) {
      const next = Math.min(
        ...this.#asking.map(({ endsMs }) => endsMs),
        ...this.#leaving.map(({ atMs }) => atMs),
      );
      if (next > untilMs) break;
      this.#nowMs = next;
      for (const asking of this.#asking) if (asking.endsMs === next) this.#ended(asking);
      for (const { atMs, call } of this.#leaving) if (atMs === next) this.#leave(call);
      this.#leaving = this.#leaving.filter(({ atMs }) => atMs !== next);
    }
    this.#nowMs = untilMs;
  }

  #call(call: number, key: string, leavesMs: number | undefined): void {
    if (leavesMs !== undefined) {
      this.#leaving.push({ atMs: this.#nowMs + leavesMs + (512 + call) * TICK, call });
    }
    const { ttlMs, staleMs, maxRefreshes } = this.#program.options;
    const kept = this.#touch(key);
    const ageMs = kept?.answer === undefined ? Infinity : this.#nowMs - kept.storedMs;
    if (ageMs < ttlMs) {
      this.#seen.push(['hit', ageMs]);
      this.#tell(call, `answer ${kept!.answer!.n}`);
    } else if (kept !== undefined && this.#nowMs < kept.errorUntilMs) {
      this.#tellError(call, key, kept.error);
    } else if (ageMs < ttlMs + staleMs) {
      const refreshes = this.#asking.filter(({ isRefresh }) => isRefresh).length;
      if (this.#current(key) === undefined && refreshes < maxRefreshes) this.#ask(key, true);
      this.#seen.push(['stale', ageMs]);
      this.#tell(call, `answer ${kept!.answer!.n}`);
    } else {
      const current = this.#current(key);
      this.#seen.push([current === undefined ? 'miss' : 'joined', '']);
      if (current !== undefined) current.waiting.push(call);
      else this.#ask(key, false, call);
    }
  }

  #ask(key: string, isRefresh: boolean, ...waiting: number[]): void {
    const n = this.#runs;
    this.#runs += 1;
    this.#seen.push(['asked', this.#nowMs, key]);
    const { ms, ends } = this.#program.behaviours[n]!;
    const tookMs = ms === undefined ? 0 : ms + n * TICK;
    const { refreshTimeoutMs } = this.#program.options;
    const isOverdue = isRefresh && ms !== undefined && tookMs > refreshTimeoutMs;
    const asking: Asking = {
      key,
      n,
      isRefresh,
      waiting,
      outdated: false,
      outcome: isOverdue ? 'overdue' : { well: '', poorly: `answer ${n}`, badly: `${n}` }[ends],
      endsMs: this.#nowMs + (isOverdue ? refreshTimeoutMs : tookMs),
    };
    this.#asking.push(asking);
    if (ms === undefined) this.#ended(asking);
  }

  #ended(asking: Asking): void {
    const { key, n, outcome, outdated, waiting } = asking;
    this.#asking = this.#asking.filter((other) => other !== asking);
    const before = this.#kept.find((kept) => kept.key === key);
    if (outcome === '') {
      if (!outdated) {
        const answered = { answer: answer(n), storedMs: this.#nowMs };
        this.#keep({ key, ...answered, error: '', errorUntilMs: -Infinity });
      }
      for (const call of waiting) this.#tell(call, `answer ${n}`);
      return;
    }
    const { errorTtlMs } = this.#program.options;
    // A poor answer is no error that could be kept.
    if (!outdated && errorTtlMs > 0 && !outcome.startsWith('answer')) {
      const { answer, storedMs } = before ?? { answer: undefined, storedMs: 0 };
      const errorUntilMs = this.#nowMs + errorTtlMs;
      this.#keep({ key, answer, storedMs, error: outcome, errorUntilMs });
    }
    this.#touch(key);
    for (const call of waiting) this.#tellError(call, key, outcome);
  }

  #tellError(call: number, key: string, error: string): void {
    const { ttlMs, staleIfErrorMs } = this.#program.options;
    const kept = this.#kept.find((each) => each.key === key);
    const ageMs = kept?.answer === undefined ? Infinity : this.#nowMs - kept.storedMs;
    if (ageMs >= ttlMs + staleIfErrorMs) {
      this.#tell(call, error);
      return;
    }
    this.#seen.push(['stale-if-error', ageMs]);
    this.#tell(call, `answer ${kept!.answer!.n}`, 'degraded');
  }

  #tell(call: number, what: string, degraded = ''): void {
    this.#seen.push(['told', this.#nowMs, call, what, degraded]);
    this.#leaving = this.#leaving.filter((leaving) => leaving.call !== call);
  }

  #leave(call: number): void {
    for (const asking of this.#asking) {
      if (!asking.waiting.includes(call)) continue;
      asking.waiting = asking.waiting.filter((other) => other !== call);
      this.#tell(call, 'gone');
      // Nobody is left who wants it: it is broken off, and nothing is kept.
      if (asking.isRefresh || asking.waiting.length > 0) return;
      this.#asking = this.#asking.filter((other) => other !== asking);
      return;
    }
  }

  #invalidate(key: string | undefined): void {
    const isMeant = (one: { readonly key: string }) => key === undefined || one.key === key;
    this.#kept = this.#kept.filter((kept) => !isMeant(kept));
    for (const asking of this.#asking) if (isMeant(asking)) asking.outdated = true;
  }

  #current(key: string): Asking | undefined {
    return this.#asking.find((asking) => asking.key === key && !asking.outdated);
  }

  #touch(key: string): Kept | undefined {
    const kept = this.#kept.find((each) => each.key === key);
    if (kept !== undefined) this.#kept = [...this.#kept.filter((each) => each !== kept), kept];
    return kept;
  }

  #keep(kept: Kept): void {
    const { maxBytes, maxEntries } = this.#program.options;
    const bytes = () => this.#kept.reduce((sum, { answer }) => sum + (answer?.bytes ?? 0), 0);
    this.#kept = this.#kept.filter(({ key }) => key !== kept.key);
    if ((kept.answer?.bytes ?? 0) > maxBytes) return;
    this.#kept.push(kept);
    while (this.#kept.length > maxEntries || bytes() > maxBytes) this.#kept.shift();
  }
}
