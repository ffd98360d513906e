import { type Pipeline, pipeline, rateLimit } from '@holdfast/core';
import { endOfTurn } from '../end-of-turn.ts';
import { Doorbell } from '../relay/doorbell.ts';
import type { Lease, MessageStore } from '../store.ts';
import { tellListener } from '../tell-listener.ts';
import { JobEndings } from './endings/job-endings.ts';
import { JobCancelledError, LeaseLostError, WorkerStoppedError } from './endings/job-errors.ts';
import type { WorkerEvent } from './events.ts';
import type { Kind } from './kind.ts';
import { DueSoon } from './leases/due-soon.ts';
import { HeldLeases } from './leases/held-leases.ts';
import { batchLane, behind, type Lane, lanesOf, type Unit } from './leases/lanes.ts';
import { type LeaseGroup, leaseGroups } from './leases/lease-group.ts';
import type { ResolvedWorkerOptions } from './options.ts';
import { ProgressNotes } from './progress-notes.ts';
import { jobOf, Running } from './running.ts';
import { StorePauses } from './store-pauses.ts';
import { Utilisation } from './utilisation.ts';
import type { JobWorker, RunningJob, WorkerSnapshot } from './worker.ts';

/** Jobs for which it has no handler are looked for so often, while it has nothing to do. */
const LOOK_ROUND_MS = 60_000;

/** Of a store that does not heed topics (an older adapter): a foreign job is given back for so long. */
const FOREIGN_MS = 5_000;

/** Leases what its topics have, and handles it. */
export class StoreWorker implements JobWorker {
  readonly ended: Promise<void>;
  readonly #store: MessageStore;
  readonly #options: ResolvedWorkerOptions;
  readonly #kinds: ReadonlyMap<string, Kind>;
  readonly #groups: readonly LeaseGroup[];
  readonly #rate: Pipeline | undefined;
  readonly #bell: Doorbell;
  readonly #held: HeldLeases;
  readonly #pauses: StorePauses;
  readonly #endings: JobEndings;
  readonly #progress: ProgressNotes;
  readonly #usage: Utilisation;
  readonly #running = new Set<Running>();
  readonly #lanes = new Set<Promise<void>>();
  readonly #dueSoon = new DueSoon();
  #round = 0;
  #lookedRoundMs = -Infinity;
  /** The lane whose job is to be alone in this worker: nothing else is leased or begun meanwhile. */
  #solo: Lane | undefined;
  #quiet: () => void = () => {};
  #stopping = false;
  #onPause = false;
  #stopped = false;

  constructor(store: MessageStore, kinds: readonly Kind[], options: ResolvedWorkerOptions) {
    const { clock, leaseMs, name, random, concurrency, windowMs, progressMs } = options;
    this.#store = store;
    this.#options = options;
    this.#kinds = new Map(kinds.map((kind) => [kind.topic, kind]));
    this.#groups = leaseGroups(kinds, options);
    if (options.rateLimit !== undefined) {
      const policy = rateLimit({ ...options.rateLimit, name });
      this.#rate = pipeline(`${name} rate`, [policy], { clock, random });
    }
    this.#bell = new Doorbell(clock);
    this.#held = new HeldLeases(store, {
      clock,
      leaseMs,
      lost: (lease, withdrawn) => this.#lost(lease, withdrawn),
    });
    this.#pauses = new StorePauses({ clock, random, tell: this.#tell });
    this.#endings = new JobEndings(store, {
      clock,
      random,
      tell: this.#tell,
      pauses: this.#pauses,
      dueAgain: (delayMs) => this.#dueSoon.add(delayMs, clock.now()),
    });
    this.#progress = new ProgressNotes(store, { clock, everyMs: progressMs });
    this.#usage = new Utilisation(concurrency, windowMs, clock.now());
    this.ended = this.#run();
  }

  wake(): void {
    // A new job is no reason to ask a broken store sooner.
    if (this.#pauses.problem === undefined) this.#bell.ring();
  }

  inspect(): WorkerSnapshot {
    const { clock, concurrency } = this.#options;
    const running = [...this.#running].flatMap((each) => this.#jobsOf(each));
    return {
      state: this.#state(),
      inFlight: running.length,
      concurrency,
      utilisation: this.#usage.ratio(clock.now()),
      oldestMs: running.reduce((longest, { forMs }) => Math.max(longest, forMs), 0),
      ...this.#endings.counts,
      running,
      problem: this.#pauses.problem,
    };
  }

  runningJob(id: string): RunningJob | undefined {
    for (const each of this.#running) {
      const found = this.#jobsOf(each).find((job) => job.id === id);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  holds(id: string): boolean {
    return this.#held.find(id) !== undefined;
  }

  cancelled(id: string): void {
    const lease = this.#held.find(id);
    if (lease !== undefined && this.#held.delete(lease)) this.#lost(lease, true);
  }

  async pause(): Promise<void> {
    this.#onPause = true;
    while (this.#onPause && this.#lanes.size > 0) await Promise.all(this.#lanes);
  }

  resume(): void {
    this.#onPause = false;
    this.#bell.ring();
  }

  async stop({ graceMs = this.#options.graceMs }: { readonly graceMs?: number } = {}) {
    this.#stopping = true;
    this.#pauses.hurry();
    this.#bell.ring();
    const limit = this.#options.clock.timer(graceMs, () => {
      const reason = new WorkerStoppedError(
        `The worker stopped, and this job had not ended within ${graceMs} ms. It is given back.`,
      );
      for (const each of this.#running) each.abort(reason);
      this.#pauses.giveUp();
    });
    await this.ended;
    limit.cancel();
  }

  readonly #tell = (event: WorkerEvent): void => {
    tellListener(this.#options.onEvent, event);
  };

  #state(): WorkerSnapshot['state'] {
    if (this.#stopped) return 'stopped';
    if (this.#stopping) return 'stopping';
    if (this.#onPause || this.#pauses.problem !== undefined) return 'paused';
    return this.#running.size > 0 ? 'working' : 'idle';
  }

  #jobsOf(running: Running): readonly RunningJob[] {
    const forMs = this.#options.clock.now() - running.startedMs;
    return running.leases.map((lease) => ({
      ...jobOf(lease),
      forMs,
      progress: running.progressOf(lease),
    }));
  }

  async #run(): Promise<void> {
    while (!this.#stopping) {
      try {
        if (await this.#lookForJobs()) continue;
        await this.#bell.wait(this.#nextLookMs());
        // Others may end in this turn: one lease for all of them.
        await endOfTurn(this.#options.clock);
      } catch (error) {
        await this.#bell.wait(this.#pauses.next(error));
      }
    }
    while (this.#lanes.size > 0) await Promise.all(this.#lanes);
    this.#stopped = true;
    for (const pipe of [this.#rate, ...[...this.#kinds.values()].map(({ guard }) => guard)]) {
      pipe?.[Symbol.dispose]();
    }
    for (const group of this.#groups) group.close();
  }

  /** Leases what there is room for; true where there may be more. Each round begins with another group. */
  async #lookForJobs(): Promise<boolean> {
    const { clock, leaseMs, concurrency } = this.#options;
    if (this.#solo !== undefined || this.#onPause) return false;
    let more = false;
    let idle = true;
    this.#round += 1;
    for (let n = 0; n < this.#groups.length && !this.#stopping && !this.#onPause; n += 1) {
      const group = this.#groups[(n + this.#round) % this.#groups.length]!;
      const room = group.room(concurrency - this.#lanes.size, clock.now());
      if (room <= 0) continue;
      const leased = await this.#store.lease(room, leaseMs, group.topics);
      this.#pauses.over();
      if (leased.length === 0) continue;
      const leases = await this.#endings.buryExpired(leased);
      this.#held.add(leases);
      idle = false;
      more ||= leased.length >= room;
      const own = leases.filter(({ message }) => this.#kinds.has(message.topic));
      this.#begin(group, own);
      if (own.length < leases.length) await this.#giveBackForeign(leases, own);
    }
    if (idle && this.#lanes.size === 0) await this.#lookRound();
    return more;
  }

  /** Until the next poll, the next turn of a rate, or the next job that was given back. */
  #nextLookMs(): number {
    const nowMs = this.#options.clock.now();
    const opensInMs = this.#groups.map((group) => group.opensInMs(nowMs));
    return Math.min(this.#options.pollMs, this.#dueSoon.nextInMs(nowMs), ...opensInMs);
  }

  #begin(group: LeaseGroup, leases: readonly Lease[]): void {
    const lanes = group.batch === undefined ? lanesOf(leases) : [batchLane(leases)];
    for (const lane of lanes) {
      if (lane.length === 0) continue;
      group.running += 1;
      const work = this.#runLane(group, lane).finally(() => {
        group.running -= 1;
        this.#lanes.delete(work);
        if (this.#solo === lane) this.#solo = undefined;
        if (this.#lanes.size === 1) this.#quiet();
        this.#usage.change(this.#running.size, this.#options.clock.now());
        this.#bell.ring();
      });
      this.#lanes.add(work);
    }
  }

  async #runLane(group: LeaseGroup, lane: Lane): Promise<void> {
    let rest = lane;
    try {
      while (rest.length > 0) {
        const given = rest[0]!;
        const unit = given.filter((lease) => this.#held.has(lease));
        rest = rest.slice(1);
        const unfinished = unit.length === 0 ? [] : await this.#runUnit(group, unit, lane);
        if (unfinished === 'not begun') {
          await this.#giveBack([unit, ...rest].flat(), group);
          return;
        }
        // Somebody else may have those whose lease was lost: they must not be overtaken either.
        const lapsed = given.filter((lease) => this.#endings.hasLapsed(lease));
        const late = behind(rest.flat(), [...unfinished, ...lapsed]);
        if (late.length > 0) {
          await this.#giveBack(late, group);
          rest = rest.map((each) => each.filter((lease) => !late.includes(lease)));
        }
      }
    } catch (error) {
      // The store could not be told how these ended before the worker had to stop, or it has a bug: leases lapse.
      this.#pauses.tellOf(error);
      for (const lease of lane.flat()) this.#held.delete(lease);
    }
  }

  /** Handles one unit, and says which of its jobs are still to be done. */
  async #runUnit(
    group: LeaseGroup,
    unit: Unit,
    lane: Lane,
  ): Promise<readonly Lease[] | 'not begun'> {
    const kind = this.#kinds.get(unit[0]!.message.topic);
    if (kind === undefined) throw new Error('unreachable: foreign jobs were given back');
    const { clock } = this.#options;
    if (await this.#endings.buryIfSpent(unit, kind)) {
      for (const lease of unit) this.#held.delete(lease);
      return [];
    }
    if (await this.#endings.isSuspect(unit, kind)) await this.#alone(group, unit, lane);
    if (this.#mustWait(lane) || (await group.turn(this.#rate, clock.now())) > 0) return 'not begun';
    const still = unit.filter((lease) => this.#held.has(lease));
    if (this.#mustWait(lane)) return 'not begun';
    return still.length === 0 ? [] : this.#handle(still, kind);
  }

  #mustWait(lane: Lane): boolean {
    return this.#stopping || this.#onPause || (this.#solo !== undefined && this.#solo !== lane);
  }

  /**
   * Waits until nothing else is in this worker's hands: not even a lease, since a delivery counts from
   * then. Those that had not begun give their jobs back uncounted.
   */
  async #alone(group: LeaseGroup, unit: Unit, lane: Lane): Promise<void> {
    if (this.#mustWait(lane)) return;
    this.#solo = lane;
    const others = lane.flat().filter((lease) => !unit.includes(lease));
    await this.#giveBack(others, group);
    if (this.#lanes.size === 1) return;
    await new Promise<void>((quiet) => {
      this.#quiet = quiet;
    });
  }

  async #handle(unit: Unit, kind: Kind): Promise<readonly Lease[]> {
    const { clock } = this.#options;
    const note = (lease: Lease, text: string) => {
      if (this.#held.has(lease)) this.#progress.say(lease, text);
    };
    const running = new Running(unit, kind, { clock, tell: this.#tell, note });
    this.#running.add(running);
    this.#usage.change(this.#running.size, clock.now());
    for (const lease of unit) this.#tell({ type: 'started', ...jobOf(lease) });
    const ended = await running.run();
    for (const lease of unit) this.#progress.forget(lease);
    this.#running.delete(running);
    this.#usage.change(this.#running.size, clock.now());
    const unfinished = await this.#endings.end(running, ended, kind);
    for (const lease of unit) this.#held.delete(lease);
    return unfinished;
  }

  /** Not begun: due again at once, or when the rate allows. */
  async #giveBack(leases: readonly Lease[], group: LeaseGroup): Promise<void> {
    const waitMs = group.opensInMs(this.#options.clock.now());
    const delayMs = Number.isFinite(waitMs) ? Math.min(Math.ceil(waitMs), 600_000) : 0;
    const held = leases.filter((lease) => this.#held.has(lease));
    await this.#pauses.persist(() => this.#store.release(held, { delayMs, attempted: false }));
    for (const lease of leases) this.#held.delete(lease);
  }

  /** A store that does not heed topics gives out what this worker has no handler for. */
  async #giveBackForeign(leases: readonly Lease[], own: readonly Lease[]): Promise<void> {
    const foreign = leases.filter((lease) => !own.includes(lease));
    for (const lease of foreign) this.#held.delete(lease);
    this.#tellUnhandled(foreign.map(({ message }) => message.topic));
    await this.#store.release(foreign, { delayMs: FOREIGN_MS, attempted: false });
  }

  /** Somebody should know of jobs that nobody may ever handle: of those that have waited the longest. */
  async #lookRound(): Promise<void> {
    const nowMs = this.#options.clock.now();
    if (nowMs - this.#lookedRoundMs < LOOK_ROUND_MS) return;
    this.#lookedRoundMs = nowMs;
    const { messages } = await this.#store.listQueued({ limit: 10 });
    this.#tellUnhandled(messages.map(({ topic }) => topic).filter((t) => !this.#kinds.has(t)));
  }

  #tellUnhandled(topics: readonly string[]): void {
    for (const topic of new Set(topics)) {
      const jobs = topics.filter((each) => each === topic).length;
      this.#tell({ type: 'unhandled', topic, jobs });
    }
  }

  #lost(lease: Lease, withdrawn: boolean): void {
    const { id } = lease.message;
    this.#endings.lost(lease, withdrawn);
    for (const each of this.#running) {
      if (!each.leases.includes(lease)) continue;
      each.drop(
        lease,
        withdrawn
          ? new JobCancelledError(`Job "${id}" was cancelled.`)
          : new LeaseLostError(`The lease on job "${id}" has lapsed: another worker may have it.`),
      );
      return;
    }
  }
}
