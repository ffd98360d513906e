import { discard } from '../engine/late-result.ts';
import type { Operation } from '../engine/operation.ts';
import { whenStopped } from '../engine/pass-on.ts';
import {
  type Entry as Admission,
  type Cut,
  HELD,
  type Stage,
  type StageWorld,
} from '../engine/stage.ts';
import type { PolicyEvent } from '../events.ts';
import type { Forecast, WorstCase } from '../explain/explain.ts';
import type { PolicySnapshot } from '../pipeline.ts';
import type { Degraded, Policy } from '../policy.ts';
import { Entries, type Entry } from './entries.ts';
import { Fetching, type Outcome, type Visit } from './fetching.ts';
import { forecastCache } from './forecast.ts';
import { freshnessOf, isSpare, keepMs } from './freshness.ts';
import { type CacheOptions, type ResolvedCacheOptions, resolveCacheOptions } from './options.ts';
import { StoreAccess } from './store-access.ts';

/**
 * Gives answers that it has, and asks once for all who want the same one.
 *
 * Answers are kept by the call's `cacheKey`; a call without one passes by. Calls
 * that share an answer also share its failure. A function that calls its own
 * pipeline with its own key waits for itself, until a time limit or its caller
 * ends it: give what it calls another key.
 *
 * @throws RangeError for a value out of range, TypeError for a name that is no option.
 */
export function cache(given: CacheOptions = {}): Policy<ResolvedCacheOptions> {
  const options = resolveCacheOptions(given);
  const policy: Policy<ResolvedCacheOptions> = {
    kind: 'cache',
    name: options.name,
    options,
    stage: (world) => new CacheStage(policy, world),
  };
  return policy;
}

type Result = Extract<PolicyEvent, { type: 'cache' }>['result'];

class CacheStage implements Stage {
  readonly policy: Policy<ResolvedCacheOptions>;
  readonly #options: ResolvedCacheOptions;
  readonly #world: StageWorld;
  readonly #store: StoreAccess | undefined;
  #entries: Entries;
  /** What is being asked now, by key. */
  #fetchings = new Map<string, Fetching>();
  #refreshes = 0;

  constructor(policy: Policy<ResolvedCacheOptions>, world: StageWorld) {
    const { options } = policy;
    this.policy = policy;
    this.#options = options;
    this.#world = world;
    this.#entries = new Entries(options);
    this.#store = options.store && new StoreAccess(options.store, world, options.name, options);
  }

  slot(op: Operation, index: number): Visit {
    return { op, index, fetching: undefined };
  }

  enter(op: Operation, index: number): Admission {
    const key = op.caller.options?.cacheKey;
    if (key === undefined) return undefined;
    const nowMs = this.#world.clock.now();
    const entry = this.#entries.get(key);
    switch (freshnessOf(entry, nowMs, this.#options)) {
      case 'fresh':
        this.#report(op, 'hit', nowMs - entry!.storedMs);
        return this.#give(op, entry!.value);
      case 'stale':
        this.#refresh(op, index, key);
        this.#report(op, 'stale', nowMs - entry!.storedMs);
        return this.#give(op, entry!.value);
      case 'failed':
        return this.#answer(
          op,
          this.#insteadOf(op, { value: entry!.error, failed: true }, entry, nowMs),
        );
      case 'spare':
      case 'nothing':
        return this.#wait(op.slots[index] as Visit, key);
    }
  }

  leave(): undefined {
    // Only a call without a key comes by here: what has one is asked by an operation of the cache's own.
  }

  abandon(op: Operation, index: number, _cut: Cut, reason: unknown): void {
    const visit = op.slots[index] as Visit;
    const { fetching } = visit;
    if (fetching?.leave(visit, reason) === true) this.#strike(fetching);
  }

  async invalidate(cacheKey: string | undefined): Promise<void> {
    if (cacheKey === undefined) this.#entries.clear();
    else this.#entries.delete(cacheKey);
    for (const fetching of this.#affected(cacheKey)) {
      fetching.outdated = true;
      this.#strike(fetching);
    }
    await this.#store?.forget(cacheKey);
  }

  adopt(old: Stage): void {
    if (!(old instanceof CacheStage)) return;
    this.#entries = old.#entries;
    this.#entries.limit(this.#options);
    this.#fetchings = old.#fetchings;
  }

  forecast(inner: WorstCase): Forecast {
    return forecastCache(inner, this.#options);
  }

  inspect(): Partial<PolicySnapshot> {
    const { bytes, size: entries } = this.#entries;
    return { cache: { entries, bytes, fetching: this.#fetchings.size } };
  }

  #affected(cacheKey: string | undefined): readonly Fetching[] {
    if (cacheKey === undefined) return [...this.#fetchings.values()];
    const fetching = this.#fetchings.get(cacheKey);
    return fetching === undefined ? [] : [fetching];
  }

  /** From now on nobody joins it; of one that is outdated another may have taken the place. */
  #strike(fetching: Fetching): void {
    const { key } = fetching;
    if (this.#fetchings.get(key) === fetching) this.#fetchings.delete(key);
  }

  /** Waits with others for the answer, or is the first to ask. */
  #wait(visit: Visit, key: string): Admission {
    const { op } = visit;
    const others = this.#fetchings.get(key);
    op.keepContext();
    if (others !== undefined) {
      this.#report(op, 'joined');
      others.join(visit);
      return HELD;
    }
    const fetching = new Fetching(key, false);
    this.#fetchings.set(key, fetching);
    fetching.join(visit);
    fetching.leader = visit;
    fetching.entering = visit;
    if (this.#store?.isUp === true) this.#askStore(this.#store, fetching);
    else this.#ask(fetching, visit);
    fetching.entering = undefined;
    if (fetching.outcome === undefined) return HELD;
    return this.#answer(op, fetching.outcome);
  }

  #askStore(store: StoreAccess, fetching: Fetching): void {
    const call = fetching.leader?.op.id ?? 0;
    store.get(fetching.key, call, (found) => {
      if (fetching.over) return;
      const nowMs = this.#world.clock.now();
      if (found !== undefined && !fetching.outdated) {
        this.#keepFound(fetching.key, found.value, nowMs - Math.max(0, found.ageMs), call);
      }
      const entry = this.#entries.get(fetching.key);
      const freshness = freshnessOf(entry, nowMs, this.#options);
      // The first may have gone; whoever is still here asks in its place.
      const [next] = fetching.visits;
      if (next === undefined) return;
      fetching.leader = next;
      // What ends the wait for the store is a timer, or an answer to one who has gone.
      next.op.turn(() => {
        fetching.entering = next;
        if (freshness === 'fresh' || freshness === 'stale') {
          this.#strike(fetching);
          if (freshness === 'stale') this.#refresh(next.op, next.index, fetching.key);
          this.#report(next.op, freshness === 'fresh' ? 'hit' : 'stale', nowMs - entry!.storedMs);
          this.#tellAll(fetching, { value: entry!.value, failed: false }, false);
        } else this.#ask(fetching, next);
        fetching.entering = undefined;
        const { outcome } = fetching;
        if (outcome !== undefined) next.op.settleHeld(next.index, ...this.#copy(outcome));
      });
    });
  }

  /** Sends an operation of its own through everything inside the cache. */
  #ask(fetching: Fetching, leader: Visit): void {
    this.#report(leader.op, 'miss');
    fetching.options = leader.op.caller.options;
    fetching.op = leader.op.fork(leader.index, (value, failed, degraded) => {
      this.#ended(fetching, leader.op.id, { value, failed }, degraded);
    });
  }

  /** Renews an answer in the background, unless that is being done, or enough is. */
  #refresh(op: Operation, index: number, key: string): void {
    const { maxRefreshes, refreshTimeoutMs } = this.#options;
    if (this.#fetchings.has(key) || this.#refreshes >= maxRefreshes) return;
    const fetching = new Fetching(key, true);
    const call = op.id;
    fetching.options = op.caller.options;
    this.#fetchings.set(key, fetching);
    this.#refreshes += 1;
    const settle = (value: unknown, failed: boolean, degraded: Degraded | undefined) => {
      this.#refreshes -= 1;
      fetching.endTimer?.();
      this.#ended(fetching, call, { value, failed }, degraded);
    };
    fetching.op = op.fork(index, settle, true);
    if (fetching.over) return;
    const timer = this.#world.clock.timer(refreshTimeoutMs, () => {
      fetching.op?.end(new Error(`A renewal took longer than ${refreshTimeoutMs} ms.`), 'overdue');
    });
    fetching.endTimer = () => timer.cancel();
  }

  /** The dependency has answered, or a policy in front of it: everybody hears of it. */
  #ended(fetching: Fetching, call: number, outcome: Outcome, degraded: Degraded | undefined): void {
    fetching.op = undefined;
    if (fetching.over) return;
    fetching.over = true;
    const { key } = fetching;
    this.#strike(fetching);
    let told = outcome;
    let poor = outcome.failed;
    let kept = false;
    try {
      poor ||= this.#options.staleIfResult(outcome.value);
      // What was asked before an invalidation must not be there after it.
      if (!fetching.outdated) kept = this.#keepOutcome(key, outcome, poor, call, degraded);
    } catch (thrown) {
      // A predicate of the caller's threw: as everywhere, that ends the calls it was asked for.
      told = { value: thrown, failed: true };
    }
    const given = this.#tellAll(fetching, told, poor, degraded);
    if (!outcome.failed && !kept && !given) discard(fetching.options, outcome.value);
  }

  /** Tells all who wait; answers whether any of them was given a result that is not from before. */
  #tellAll(fetching: Fetching, outcome: Outcome, poor: boolean, degraded?: Degraded): boolean {
    fetching.over = true;
    const nowMs = this.#world.clock.now();
    const entry = poor || outcome.failed ? this.#entries.get(fetching.key) : undefined;
    const visits = [...fetching.visits];
    let given = false;
    fetching.visits.clear();
    for (const visit of visits) {
      // Telling one may have ended another: two attempts of one call can wait here.
      if (visit.fetching !== fetching) continue;
      const { op, index } = visit;
      const own = () => {
        visit.fetching = undefined;
        if (!outcome.failed) op.degraded = degraded;
        const instead = this.#insteadOf(op, outcome, entry, nowMs);
        given ||= instead === outcome && !outcome.failed;
        return instead;
      };
      const tell = () => op.turn(() => op.settleHeld(index, ...this.#copy(own())));
      if (visit === fetching.entering) fetching.outcome = own();
      else if (op.isOnItsWay) {
        // A listener of its own has brought the answer about: it has it when it has heard all.
        given ||= !outcome.failed;
        whenStopped(op, () => {
          if (visit.fetching === fetching) tell();
        });
      } else tell();
    }
    return given;
  }

  /** The outcome, or what is given in its place: the last good answer, if there is an `entry` with one. */
  #insteadOf(op: Operation, outcome: Outcome, entry: Entry | undefined, nowMs: number): Outcome {
    if (entry === undefined || !isSpare(entry, nowMs, this.#options)) return outcome;
    const { value: error, failed } = outcome;
    try {
      if (failed && !this.#options.staleIf(error)) return outcome;
    } catch (thrown) {
      return { value: thrown, failed: true };
    }
    op.degraded = { policy: this.policy.name, kind: 'cached', error };
    this.#report(op, 'stale-if-error', nowMs - entry.storedMs);
    return { value: entry.value, failed: false };
  }

  /** Whether the result is kept. */
  #keepOutcome(
    key: string,
    { failed, value }: Outcome,
    poor: boolean,
    call: number,
    degraded: Degraded | undefined,
  ): boolean {
    if (failed) this.#keepError(key, value);
    if (poor || degraded !== undefined || !this.#options.cacheIf(value)) return false;
    const kept = this.#keep(key, value, this.#world.clock.now());
    this.#store?.set(key, value, keepMs(this.#options), call);
    return kept || this.#store !== undefined;
  }

  /** Keeps what a store has. What cannot be weighed, of another version perhaps, is as good as nothing. */
  #keepFound(key: string, value: unknown, storedMs: number, call: number): void {
    try {
      this.#keep(key, value, storedMs);
    } catch (error) {
      const { reporter } = this.#world;
      const { name: policy } = this.policy;
      if (reporter.listening) reporter.report(call, { type: 'store-failed', policy, error });
    }
  }

  #keep(key: string, value: unknown, storedMs: number): boolean {
    const { sizeOf } = this.#options;
    const bytes = sizeOf === undefined ? 0 : sizeOf(value);
    if (typeof bytes !== 'number' || !(bytes >= 0)) {
      // Added to the others, it would have all of them thrown out, or none ever.
      throw new RangeError(`cache.sizeOf must return a number of at least 0, not ${bytes}.`);
    }
    const noError = { error: undefined, errorUntilMs: -Infinity };
    return this.#entries.set(key, { hasValue: true, value, storedMs, bytes, ...noError });
  }

  /** Remembers an error for a while, beside the last good answer. */
  #keepError(key: string, error: unknown): void {
    const { cacheErrorIf, errorTtlMs } = this.#options;
    if (errorTtlMs === 0 || !cacheErrorIf(error)) return;
    const nowMs = this.#world.clock.now();
    const before = this.#entries.get(key) ?? NO_VALUE;
    this.#entries.set(key, { ...before, error, errorUntilMs: nowMs + errorTtlMs });
  }

  #give(op: Operation, value: unknown): Admission {
    return this.#answer(op, { value, failed: false });
  }

  #answer(op: Operation, outcome: Outcome): Admission {
    return op.answer(...this.#copy(outcome));
  }

  /** Each caller's own copy, where there is a way to make one. */
  #copy({ value, failed }: Outcome): [value: unknown, failed: boolean] {
    const { clone } = this.#options;
    if (failed || clone === undefined) return [value, failed];
    try {
      return [clone(value), false];
    } catch (thrown) {
      return [thrown, true];
    }
  }

  #report(op: Operation, result: Result, ageMs?: number): void {
    const { reporter } = this.#world;
    if (!reporter.listening) return;
    const age = ageMs === undefined ? undefined : { ageMs };
    reporter.report(op.id, { type: 'cache', policy: this.policy.name, result, ...age });
  }
}

const NO_VALUE: Entry = {
  hasValue: false,
  value: undefined,
  storedMs: 0,
  bytes: 0,
  error: undefined,
  errorUntilMs: -Infinity,
};
