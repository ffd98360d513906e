import type { Clock, Random } from '@holdfast/core';
import { errorLine } from '../../error-text.ts';
import { EXPIRED, neverEnded } from '../../errors.ts';
import { type Lease, type MessageStore, wasTakenBack } from '../../store.ts';
import type { WorkerEvent } from '../events.ts';
import type { Kind } from '../kind.ts';
import type { Unit } from '../leases/lanes.ts';
import { type Ended, jobOf, type Running } from '../running.ts';
import type { StorePauses } from '../store-pauses.ts';
import { Completions } from './completions.ts';
import { hasCode } from './job-errors.ts';
import { type Verdict, verdictOf } from './verdict.ts';

export interface JobEndingsEnv {
  readonly clock: Clock;
  readonly random: Random;
  readonly tell: (event: WorkerEvent) => void;
  readonly pauses: StorePauses;
  /** Called when a job was given back, due after `delayMs`. */
  readonly dueAgain: (delayMs: number) => void;
}

/** The call of a handler that has ended. */
interface Run {
  readonly running: Running;
  readonly kind: Kind;
  readonly durationMs: number;
}

/** Has the store keep how jobs ended, counts them and tells of them. */
export class JobEndings {
  readonly counts = { done: 0, failed: 0, dead: 0 };
  readonly #store: MessageStore;
  readonly #env: JobEndingsEnv;
  readonly #completions: Completions;
  /** Leases that were lost, and whether their jobs are over with it. */
  readonly #lost = new WeakMap<Lease, boolean>();

  constructor(store: MessageStore, env: JobEndingsEnv) {
    this.#store = store;
    this.#env = env;
    this.#completions = new Completions(store, env.clock, env.pauses);
  }

  /** Its lease is over: whatever its handler says from now on is without effect. */
  lost(lease: Lease, withdrawn: boolean): void {
    this.#lost.set(lease, withdrawn);
    this.#env.tell({ type: withdrawn ? 'cancelled' : 'lapsed', ...jobOf(lease) });
  }

  hasLapsed(lease: Lease): boolean {
    return this.#lost.get(lease) === false;
  }

  /** Of what was leased just now, what somebody still wants; the rest is dead. Throws where the store cannot keep that. */
  async buryExpired(leases: readonly Lease[]): Promise<readonly Lease[]> {
    const expired = leases.filter((lease) => lease.expired);
    if (expired.length === 0) return leases;
    await this.#store.bury(expired, EXPIRED);
    this.counts.dead += expired.length;
    for (const lease of expired) this.#env.tell({ type: 'died', reason: EXPIRED, ...jobOf(lease) });
    return leases.filter((lease) => !lease.expired);
  }

  /** Deliveries that ended with their worker leave no failure; they count all the same. */
  async buryIfSpent(unit: Unit, { maxDeliveries }: Kind): Promise<boolean> {
    const [lease] = unit;
    if (unit.length > 1 || lease === undefined || lease.delivery <= maxDeliveries) return false;
    await this.#bury(lease, neverEnded(lease.delivery - 1));
    return true;
  }

  /**
   * Whether a job has its last chance and some delivery of it ended without a word. It may have killed
   * its worker, or been beside the one that did: run alone, the guilty one takes nobody with it.
   */
  async isSuspect(unit: Unit, { maxDeliveries }: Kind): Promise<boolean> {
    const [lease] = unit;
    if (unit.length > 1 || lease === undefined) return false;
    if (lease.delivery === 1 || lease.delivery < maxDeliveries) return false;
    const found = await this.#env.pauses.persist(() => this.#store.find(lease.message.id));
    const failures = found?.history.filter(({ what }) => what === 'failed').length ?? 0;
    return failures < Math.min(lease.delivery - 1, 15);
  }

  /** Returns the jobs that are still to be done, by whomever. */
  async end(running: Running, ended: Ended, kind: Kind): Promise<readonly Lease[]> {
    const durationMs = this.#env.clock.now() - running.startedMs;
    const over = await Promise.all(
      running.leases.map(
        (lease) =>
          this.#lost.get(lease) ??
          (ended.failed
            ? this.#fail(lease, ended.error, { running, kind, durationMs })
            : this.#complete(lease, { running, kind, durationMs })),
      ),
    );
    return running.leases.filter((_, index) => over[index] === false);
  }

  async #complete(lease: Lease, { running, kind, durationMs }: Run): Promise<boolean> {
    const text = running.resultOf(lease);
    const result = text === undefined ? undefined : { lease, text, keptMs: kind.resultLifetimeMs };
    if (!(await this.#completions.add(lease, result))) return this.#tooLate(lease);
    this.counts.done += 1;
    this.#env.tell({ type: 'done', durationMs, ...jobOf(lease) });
    return true;
  }

  async #fail(lease: Lease, error: unknown, run: Run): Promise<boolean> {
    if (hasCode(error, 'WORKER_STOPPED')) return this.#returned(lease);
    const { id } = lease.message;
    const drawn = this.#env.random.next();
    const verdict = verdictOf({ id, delivery: lease.delivery, error, drawn }, run.kind);
    if (verdict === undefined) return this.#complete(lease, run);
    this.counts.failed += verdict.kind === 'later' && !verdict.counts ? 0 : 1;
    switch (verdict.kind) {
      case 'dead':
        return this.#bury(lease, verdict.reason);
      case 'again':
      case 'later':
        return this.#again(lease, verdict);
    }
  }

  async #again(lease: Lease, verdict: Exclude<Verdict, { kind: 'dead' }>): Promise<boolean> {
    const { delayMs, error } = verdict;
    const attempted = verdict.kind === 'again' || verdict.counts;
    const what = { delayMs, attempted, error: errorLine(error) };
    if (!(await this.#keep(() => this.#store.release([lease], what)))) return this.#tooLate(lease);
    this.#env.dueAgain(delayMs);
    const type = verdict.kind === 'again' ? 'failed' : 'postponed';
    this.#env.tell({ type, error, delayMs, ...jobOf(lease) });
    return false;
  }

  async #returned(lease: Lease): Promise<boolean> {
    const what = { delayMs: 0, attempted: false };
    if (!(await this.#keep(() => this.#store.release([lease], what)))) return this.#tooLate(lease);
    this.#env.tell({ type: 'returned', ...jobOf(lease) });
    return false;
  }

  async #bury(lease: Lease, reason: string): Promise<boolean> {
    if (!(await this.#keep(() => this.#store.bury([lease], reason)))) return this.#tooLate(lease);
    this.counts.dead += 1;
    this.#env.tell({ type: 'died', reason, ...jobOf(lease) });
    return true;
  }

  async #keep(work: () => Promise<number>): Promise<boolean> {
    return (await this.#env.pauses.persist(work)) === 1;
  }

  /** The store no longer knew its lease when it ended. Whether it is over for good. */
  async #tooLate(lease: Lease): Promise<boolean> {
    const lost = this.#lost.get(lease);
    if (lost !== undefined) return lost;
    const found = await this.#env.pauses.persist(() => this.#store.find(lease.message.id));
    const over = wasTakenBack(found);
    this.lost(lease, over);
    return over;
  }
}
