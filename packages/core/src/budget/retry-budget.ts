import { checker, checkName, checkNumber, checkOptions } from '../check.ts';

export interface RetryBudgetOptions {
  /** Names it in events. @default 'budget' */
  readonly name?: string;
  /**
   * Share of the calls that may be made again, or hedged. 0.2 means that a
   * dependency which is down gets 1.2 times the calls, where three retries each
   * would mean four times.
   *
   * @default 0.2 (0 … 10), Finagle's
   */
  readonly ratio?: number;
  /** So many a second are granted whatever the traffic, or a quiet service could never retry. @default 10 (0 … 1_000_000), Finagle's */
  readonly minPerSecond?: number;
  /** How far it looks back, in steps of a tenth. @default 10_000 ms (100 … 3_600_000), Finagle's */
  readonly windowMs?: number;
}

export const RETRY_BUDGET_DEFAULTS: Required<RetryBudgetOptions> = {
  name: 'budget',
  ratio: 0.2,
  minPerSecond: 10,
  windowMs: 10_000,
};

/** How much of a budget is left. */
export interface RetryBudgetSnapshot {
  readonly name: string;
  /** Calls in the window. */
  readonly calls: number;
  /** Retries and hedges in the window. */
  readonly spent: number;
  /** Retries and hedges that the window allows. */
  readonly allowed: number;
}

/**
 * A limit of retries and hedges that many policies share: a share of the calls,
 * and a floor. Give the same one to each policy that it is for; their pipelines
 * must have the same clock.
 */
export interface RetryBudget {
  readonly name: string;
  /** `nowMs` is `clock.now()` of the pipelines' clock. */
  inspect(nowMs: number): RetryBudgetSnapshot;
  /** A call has begun. */
  deposit(nowMs: number): void;
  /** Takes one out; false where none is left. */
  withdraw(nowMs: number): boolean;
}

const SLICES = 10;

/** Makes a budget. A value out of range is a `RangeError`. */
export function retryBudget(given: RetryBudgetOptions = {}): RetryBudget {
  const options = checkOptions('retryBudget', given, RETRY_BUDGET_DEFAULTS);
  const check = checker('retryBudget', options);
  check(checkName, 'name');
  check(checkNumber, 'ratio', 0, 10);
  check(checkNumber, 'minPerSecond', 0, 1_000_000);
  check(checkNumber, 'windowMs', 100, 3_600_000);
  return new SlidingBudget(options);
}

/** Throws unless `budget` is one, or absent. */
export function checkBudget(option: string, budget: unknown): void {
  if (budget === undefined || typeof (budget as RetryBudget | null)?.withdraw === 'function')
    return;
  throw new TypeError(`${option} must be made by retryBudget(), not ${String(budget)}.`);
}

/** Calls and withdrawals in a ring of slices; a slice whose time has come again is emptied first. */
class SlidingBudget implements RetryBudget {
  readonly name: string;
  readonly #ratio: number;
  readonly #floor: number;
  readonly #sliceMs: number;
  readonly #calls = new Float64Array(SLICES);
  readonly #spent = new Float64Array(SLICES);
  /** Sums of the two rings: asked for at each withdrawal. */
  #allCalls = 0;
  #allSpent = 0;
  /** Number of the newest slice. */
  #slice = -1;

  constructor({ name, ratio, minPerSecond, windowMs }: Required<RetryBudgetOptions>) {
    this.name = name;
    this.#ratio = ratio;
    this.#floor = (minPerSecond * windowMs) / 1_000;
    this.#sliceMs = windowMs / SLICES;
  }

  inspect(nowMs: number): RetryBudgetSnapshot {
    this.#turn(nowMs);
    return {
      name: this.name,
      calls: this.#allCalls,
      spent: this.#allSpent,
      allowed: this.#allowed,
    };
  }

  deposit(nowMs: number): void {
    const at = this.#turn(nowMs);
    this.#calls[at]! += 1;
    this.#allCalls += 1;
  }

  withdraw(nowMs: number): boolean {
    const at = this.#turn(nowMs);
    if (this.#allSpent + 1 > this.#allowed) return false;
    this.#spent[at]! += 1;
    this.#allSpent += 1;
    return true;
  }

  get #allowed(): number {
    return this.#allCalls * this.#ratio + this.#floor;
  }

  /** Empties the slices whose time is over; answers with the place of the newest. */
  #turn(nowMs: number): number {
    const slice = Math.floor(nowMs / this.#sliceMs);
    // No clock goes back: this is another one, and what was counted by the first has no place in it.
    if (slice < this.#slice) this.#slice = slice - SLICES;
    const stale = Math.min(SLICES, slice - this.#slice);
    for (let i = 0; i < stale; i += 1) {
      const at = (((slice - i) % SLICES) + SLICES) % SLICES;
      this.#allCalls -= this.#calls[at]!;
      this.#allSpent -= this.#spent[at]!;
      this.#calls[at] = 0;
      this.#spent[at] = 0;
    }
    this.#slice = Math.max(this.#slice, slice);
    return this.#slice % SLICES;
  }
}
