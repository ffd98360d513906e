import { bulkhead, type Clock, type Pipeline, pipeline } from '@holdfast/core';
import type { IncomingMessage, Message } from '../message.ts';
import type { Handling } from './giving-up.ts';
import { type ResolvedSubscribeOptions, tell } from './subscribe-options.ts';
import { Trials } from './trials.ts';

/** How a message is handed over. */
export interface HandOver {
  /** Messages of one lane are handled one after another; without one a message waits for nobody. */
  readonly lane?: string | undefined;
  /** In place of a lane: it begins after this. */
  readonly after?: Promise<void> | undefined;
  /** Called when the handler has had it once, however that ended. */
  readonly tried?: (() => void) | undefined;
  /** Times the broker says it was handed over before, by whomever. @default 0 */
  readonly earlier?: number;
  /** So many of these, at most, it may have lain in line behind others and no more. @default 0 */
  readonly inLine?: number;
  /** Asked before each time it is handed over; with `false` it is somebody else's by now, and dropped. @default always ours */
  readonly ours?: () => boolean | Promise<boolean>;
  /**
   * Takes a message whose handler failed, in place of handing it over again: the broker has a place
   * for such. What goes wrong in it is for the adapter to catch.
   */
  readonly refuse?: () => void | Promise<void>;
}

interface Handed {
  readonly earlier: number;
  readonly unended: number;
  readonly ours: () => boolean | Promise<boolean>;
  readonly tried: (() => void) | undefined;
  /** It is handed over again where the handler fails. */
  readonly again: boolean;
  /** When it may be handed over for the first time. */
  readonly first: (once: () => Promise<boolean | undefined>) => Promise<boolean | undefined>;
}

/**
 * The handler of a subscription at work: `concurrency` messages at most at the
 * same time, each again and again until the handler succeeds. One that waits to
 * be tried again keeps its lane, since those behind it must not overtake, but
 * not its place: other lanes go on. Where messages are given up, those that were handed
 * over before are on trial, one at a time, until the handler has come back once.
 */
export class Hands {
  readonly trials = new Trials();
  readonly #handler: Handling;
  readonly #options: ResolvedSubscribeOptions;
  readonly #clock: Clock;
  readonly #ending = new AbortController();
  /** Those whose work may not be done yet; forgotten when it is. */
  #before: Hands | undefined;
  readonly #after: Promise<void>;
  readonly #places: Pipeline;
  readonly #lanes = new Map<string, Promise<void>>();
  #atWork = 0;
  #waiting: (() => void)[] = [];

  constructor(handler: Handling, options: ResolvedSubscribeOptions, clock: Clock, before?: Hands) {
    this.#handler = handler;
    this.#options = options;
    this.#clock = clock;
    this.#before = before;
    this.#after = before === undefined ? Promise.resolve() : before.#cease();
    void this.#after.then(() => {
      this.#before = undefined;
    });
    const queued = { queueLimit: 1_000_000, queueTimeoutMs: Infinity };
    const limit = Math.max(options.concurrency, options.gather);
    this.#places =
      before === undefined
        ? pipeline(`handlers of ${options.group}`, [bulkhead({ limit, ...queued })])
        : before.#places;
  }

  /**
   * Has it handled, then acknowledges it; the next of its lane begins after that. Not acknowledged
   * when these hands end first: the broker keeps it. What goes wrong in `acknowledge` is for the
   * adapter to catch.
   */
  give(
    message: Message,
    acknowledge: () => void | Promise<void>,
    { after, lane, earlier = 0, inLine = 0, ours = () => true, refuse, tried }: HandOver = {},
  ): void {
    const ahead = after ?? (lane === undefined ? undefined : this.#lastOf(lane));
    const onTrial = earlier > 0 && this.#options.giveUp !== undefined;
    // Counted at once, for those who ask before they take more; behind another one when its turn comes.
    const turn = onTrial && ahead === undefined ? this.trials.enter() : undefined;
    const free = lane === undefined ? this.#after : Promise.resolve();
    const work = (ahead ?? free).then(async () => {
      if (after !== undefined) await this.#after;
      const unended = Math.max(0, earlier - inLine);
      const again = refuse === undefined;
      const first: Handed['first'] = (once) => (onTrial ? this.trials.hold(once, turn) : once());
      const handled = await this.#until(message, { again, earlier, first, ours, tried, unended });
      if (handled === 'failed') await refuse?.();
      else if (handled) await acknowledge();
    });
    this.#atWork += 1;
    if (lane !== undefined) this.#lanes.set(lane, work);
    void work.then(() => {
      if (lane !== undefined && this.#lanes.get(lane) === work) this.#lanes.delete(lane);
      this.#atWork -= 1;
      const waiting = this.#waiting;
      this.#waiting = [];
      for (const look of waiting) look();
    });
  }

  /** Resolves when fewer than `count` messages are at work or wait for it. */
  async fewerThan(count: number): Promise<void> {
    while (this.#atWork >= count) {
      await new Promise<void>((look) => this.#waiting.push(look));
    }
  }

  /** Begins nothing more; resolves when what is at work has finished. */
  async end(): Promise<void> {
    this.#places[Symbol.dispose]();
    await this.#cease();
  }

  /** The same, where others go on with these places. */
  async #cease(): Promise<void> {
    this.#ending.abort();
    await this.#after;
    await this.fewerThan(1);
  }

  /**
   * Ends these, and returns others that begin when what is at work has finished: of a message's lane, which
   * a handler that never comes back in another does not hold up, or all where it has none.
   */
  next(): Hands {
    return new Hands(this.#handler, this.#options, this.#clock, this);
  }

  /** What its next message has to wait for, with those before too. */
  #lastOf(lane: string): Promise<void> | undefined {
    const last = this.#lanes.get(lane);
    return last === undefined && this.#before !== undefined ? this.#before.#lastOf(lane) : last;
  }

  async #until(
    message: Message,
    { again, earlier, first, ours, tried, unended }: Handed,
  ): Promise<boolean | 'failed'> {
    const { maxRedeliverMs, redeliverMs } = this.#options;
    for (let round = 1; ; round += 1) {
      const delivery = earlier + round;
      const once = () =>
        this.#places.execute(() => this.#once({ ...message, delivery }, { unended, ours, tried }));
      const handled = await (round === 1 ? first(once) : once());
      if (handled !== undefined) return handled;
      // That we leave is no fault of the message's: whoever is left has it once more.
      if (!again) return !this.#ending.signal.aborted && 'failed';
      const waitMs = Math.min(maxRedeliverMs, redeliverMs * 2 ** Math.min(round - 1, 20));
      // Rejects when the subscription ends, which the next round sees.
      await this.#clock.sleep(waitMs, this.#ending.signal).catch(() => {});
    }
  }

  /** Undefined where the handler failed. */
  async #once(
    message: IncomingMessage,
    { ours, tried, unended }: Pick<Handed, 'unended' | 'ours' | 'tried'>,
  ): Promise<boolean | undefined> {
    if (this.#ending.signal.aborted) return false;
    const answer = ours();
    if (answer !== true && (!(await answer) || this.#ending.signal.aborted)) return false;
    try {
      await this.#handler(message, unended);
      return true;
    } catch (error) {
      tell(this.#options, { kind: 'handler-failed', id: message.id, error });
      return undefined;
    } finally {
      tried?.();
    }
  }
}
