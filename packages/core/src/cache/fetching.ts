import type { Operation } from '../engine/operation.ts';
import type { ExecuteOptions } from '../policy.ts';

/** What one operation keeps for its cache: the fetching that it waits for. */
export interface Visit {
  readonly op: Operation;
  readonly index: number;
  fetching: Fetching | undefined;
}

/**
 * One question to the dependency for one key, and all who wait for its answer.
 * It goes on while anybody waits; a renewal in the background, in any case.
 */
export class Fetching {
  readonly key: string;
  readonly isRefresh: boolean;
  /** In the order in which they came. */
  readonly visits = new Set<Visit>();
  /** Runs everything inside the cache. */
  op: Operation | undefined = undefined;
  /** The visit whose limits `op` has, while that waits. */
  leader: Visit | undefined = undefined;
  over = false;
  /** Its key has been invalidated since: those who wait get the answer, and nobody after them. */
  outdated = false;
  /** The visit that asks, while it is still on its way, and what came of it meanwhile. */
  entering: Visit | undefined = undefined;
  outcome: Outcome | undefined = undefined;
  /** What the one who asked said about its call; a result that nobody gets goes to its `discard`. */
  options: ExecuteOptions<never> | undefined = undefined;
  /** Ends the time limit of a renewal. */
  endTimer: (() => void) | undefined = undefined;

  constructor(key: string, isRefresh: boolean) {
    this.key = key;
    this.isRefresh = isRefresh;
  }

  join(visit: Visit): void {
    this.visits.add(visit);
    visit.fetching = this;
  }

  /** One who waits no longer. When nobody else does, it is broken off for the same reason: true. */
  leave(visit: Visit, reason: unknown): boolean {
    this.visits.delete(visit);
    visit.fetching = undefined;
    if (visit === this.leader) {
      // It must not be ended by the limits of a call that is gone.
      this.leader = undefined;
      this.op?.detach();
    }
    if (this.isRefresh || this.visits.size > 0 || this.over) return false;
    this.over = true;
    this.op?.end(reason, 'cancelled');
    return true;
  }
}

/** How it ended, for each of those who wait. */
export interface Outcome {
  readonly value: unknown;
  readonly failed: boolean;
}
