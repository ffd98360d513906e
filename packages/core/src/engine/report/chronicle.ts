import type { Outcome } from '../../events.ts';
import type { StageWorld } from '../stage.ts';
import { reportEnd } from './report-end.ts';

/** Number of the last call that somebody heard of. */
let lastId = 0;

/** What is told of one call, when anybody listens; silent, it costs a look and no reading of the clock. */
export class Chronicle {
  /** Joins the events of one call; 0 when nobody listened at its start. */
  id = 0;
  readonly #world: StageWorld;
  /** Clock time of the call's start, and of its attempt under way; -1 where there is none to tell of. */
  #startedMs = -1;
  #attemptMs = -1;
  /** Number of the attempt under way. */
  #attempt = 0;

  constructor(world: StageWorld) {
    this.#world = world;
  }

  callBegins(): void {
    lastId += 1;
    this.id = lastId;
    this.#startedMs = this.#world.clock.now();
  }

  attemptBegins(attempt: number): void {
    this.#attempt = attempt;
    this.#attemptMs = this.#world.clock.now();
  }

  attemptEnds(outcome: Outcome, error: unknown): void {
    if (this.#attemptMs < 0) return;
    const end = { type: 'attempt' as const, attempt: this.#attempt, outcome };
    reportEnd(this.#world, this.id, this.#attemptMs, end, error);
    this.#attemptMs = -1;
  }

  get tellsCall(): boolean {
    return this.#startedMs >= 0;
  }

  callEnds(outcome: Outcome, attempts: number, degraded: boolean, value: unknown): void {
    const end = { type: 'call', attempts, degraded, outcome } as const;
    reportEnd(this.#world, this.id, this.#startedMs, end, value);
  }

  /** Of the call that has ended nothing is known any more. */
  close(): void {
    this.id = 0;
    this.#startedMs = -1;
  }
}
