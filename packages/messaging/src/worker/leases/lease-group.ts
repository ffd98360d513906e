import { isPolicyError, type Pipeline, pipeline } from '@holdfast/core';
import type { Kind } from '../kind.ts';
import type { ResolvedWorkerOptions } from '../options.ts';

/**
 * Topics that are leased together: those without limits of their own are one group, each of the
 * others is a group by itself, so that a topic that is at its limit holds up nobody.
 */
export class LeaseGroup {
  readonly topics: readonly string[];
  /** Jobs for one call of the handler; undefined: one. */
  readonly batch: number | undefined;
  /** Lanes at work. */
  running = 0;
  readonly #concurrency: number;
  readonly #rate: Pipeline | undefined;
  /** Jobs that may be asked for at once: few after a refusal by the rate, more with each success. */
  #askFor = Infinity;
  #closedUntilMs = 0;

  constructor(kinds: readonly Kind[], options: ResolvedWorkerOptions) {
    const [first] = kinds;
    this.topics = kinds.map(({ topic }) => topic);
    this.batch = first?.batch;
    this.#concurrency = Math.min(options.concurrency, first?.concurrency ?? options.concurrency);
    const { name, clock, random } = options;
    if (first?.rate !== undefined) {
      this.#rate = pipeline(`${name} ${first.topic} rate`, [first.rate], { clock, random });
    }
  }

  /** How many jobs may be leased for it, of a worker with so many free hands. */
  room(freeHands: number, nowMs: number): number {
    const hands = Math.min(freeHands, this.#concurrency - this.running);
    if (hands <= 0 || nowMs < this.#closedUntilMs) return 0;
    return this.batch ?? Math.min(hands, this.#askFor);
  }

  /** When it may be asked again, if a rate has closed it. */
  opensInMs(nowMs: number): number {
    return this.#closedUntilMs <= nowMs ? Infinity : this.#closedUntilMs - nowMs;
  }

  /** Takes a turn for one call of the handler, of the worker's rate first; or how long there is none. */
  async turn(shared: Pipeline | undefined, nowMs: number): Promise<number> {
    for (const rate of [shared, this.#rate]) {
      if (rate === undefined) continue;
      const waitMs = await rate.execute(() => 0).catch(waitOf);
      if (waitMs === 0) continue;
      this.#askFor = 1;
      this.#closedUntilMs = nowMs + waitMs;
      return waitMs;
    }
    this.#askFor *= 2;
    return 0;
  }

  close(): void {
    this.#rate?.[Symbol.dispose]();
  }
}

/** Groups in the order in which they are asked for jobs. */
export function leaseGroups(
  kinds: readonly Kind[],
  options: ResolvedWorkerOptions,
): readonly LeaseGroup[] {
  const limited = (kind: Kind) =>
    kind.concurrency !== undefined || kind.rate !== undefined || kind.batch !== undefined;
  const plain = kinds.filter((kind) => !limited(kind));
  const groups = [...(plain.length > 0 ? [plain] : []), ...kinds.filter(limited).map((k) => [k])];
  return groups.map((each) => new LeaseGroup(each, options));
}

function waitOf(error: unknown): number {
  if (isPolicyError(error)) return Math.max(1, Math.ceil(error.retryAfterMs ?? 1));
  throw error;
}
