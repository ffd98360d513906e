import { Doorman, Waiter } from '../bulkhead/doorman.ts';
import type { Operation } from '../engine/operation.ts';
import { outcomeOf } from '../engine/outcome.ts';
import type { Cut, Entry, Stage, StageWorld } from '../engine/stage.ts';
import { LimitExceededError } from '../errors.ts';
import type { Forecast, WorstCase } from '../explain/explain.ts';
import type { PolicySnapshot } from '../pipeline.ts';
import { CRITICALITIES, type Policy } from '../policy.ts';
import { algorithmOf } from './algorithms.ts';
import type { LimitAlgorithm } from './limit-algorithm.ts';
import {
  type AdaptiveLimitOptions,
  type ResolvedAdaptiveLimitOptions,
  resolveAdaptiveLimitOptions,
} from './options.ts';
import { SampleWindow } from './sample-window.ts';

/**
 * Lets as many calls run at a time as the dependency can take, and finds out by
 * itself how many that is: from how long calls take, and from those it drops.
 *
 * @throws RangeError for a value out of range, TypeError for a name that is no option.
 */
export function adaptiveLimit(
  given: AdaptiveLimitOptions = {},
): Policy<ResolvedAdaptiveLimitOptions> {
  const options = resolveAdaptiveLimitOptions(given);
  const policy: Policy<ResolvedAdaptiveLimitOptions> = {
    kind: 'adaptiveLimit',
    name: options.name,
    options,
    stage: (world) => new AdaptiveLimitStage(policy, world),
  };
  return policy;
}

/** What one operation keeps for its adaptive limit. */
interface Place {
  readonly waiter: Waiter;
  startedMs: number;
  /** Calls inside when it came in, itself included. */
  inFlight: number;
}

/**
 * Shorter ones measure the clock, not the dependency, as in Netflix's windowed
 * limit; and of latencies of 0 the algorithms make a limit that is not a number.
 */
const SHORTEST_RTT_MS = 0.1;

class AdaptiveLimitStage implements Stage {
  readonly policy: Policy<ResolvedAdaptiveLimitOptions>;
  readonly #options: ResolvedAdaptiveLimitOptions;
  readonly #world: StageWorld;
  #doorman: Doorman;
  #algorithm: LimitAlgorithm;
  #window: SampleWindow;
  /** Calls inside by criticality, where some have shares. */
  #inside: number[] = CRITICALITIES.map(() => 0);
  /** What has taken its place in a swap, and learns from the calls that end after it. */
  #heir: AdaptiveLimitStage | undefined;

  constructor(policy: Policy<ResolvedAdaptiveLimitOptions>, world: StageWorld) {
    const { options } = policy;
    this.policy = policy;
    this.#options = options;
    this.#world = world;
    this.#algorithm = algorithmOf(options);
    this.#window = new SampleWindow(options.windowMs, options.minSamples);
    this.#doorman = new Doorman(
      policy,
      world,
      this.#rules(),
      ({ active, queued }) => {
        const message = `Adaptive limit "${policy.name}" stands at ${this.#whole}: ${active} running, ${queued} waiting. Try again when some have ended.`;
        return new LimitExceededError(policy.name, message);
      },
      ({ op, index }) => this.#begin(op, op.slots[index] as Place),
    );
  }

  slot(op: Operation, index: number): Place {
    return { waiter: new Waiter(op, index), startedMs: 0, inFlight: 0 };
  }

  enter(op: Operation, index: number): Entry {
    const place = op.slots[index] as Place;
    const rank = CRITICALITIES.indexOf(op.caller.criticality);
    if (this.#hasShare(rank)) this.#doorman.gate.active += 1;
    else {
      const entry = this.#doorman.enter(op, place.waiter);
      if (entry !== undefined) return entry;
    }
    this.#begin(op, place);
    return undefined;
  }

  leave(op: Operation, index: number, value: unknown, failed: boolean): undefined {
    let dropped = false;
    try {
      dropped = failed
        ? outcomeOf(value) !== 'failure' || this.#options.dropIf(value)
        : this.#options.dropIfResult(value);
    } finally {
      this.#end(op, op.slots[index] as Place, dropped);
    }
  }

  abandon(op: Operation, index: number, cut: Cut): void {
    const place = op.slots[index] as Place;
    if (place.waiter.next !== place.waiter) this.#doorman.abandon(place.waiter);
    // What the caller ended says nothing of the dependency.
    else if (cut === 'cancelled') this.#depart(op);
    else this.#end(op, place, true);
  }

  ring(op: Operation, index: number): void {
    this.#doorman.ring((op.slots[index] as Place).waiter);
  }

  adopt(old: Stage): void {
    if (!(old instanceof AdaptiveLimitStage)) return;
    old.#heir = this;
    this.#doorman = old.#doorman;
    this.#inside = old.#inside;
    if (old.#options.algorithm === this.#options.algorithm) {
      this.#algorithm = old.#algorithm;
      this.#algorithm.follow(this.#options);
    }
    this.#doorman.rules = this.#rules();
    this.#doorman.pump();
  }

  forecast(inner: WorstCase): Forecast {
    const { algorithm, minLimit, maxLimit, queueLimit, queueTimeoutMs } = this.#options;
    const waits =
      queueLimit === 0 ? '' : `, lets ${queueLimit} more wait up to ${queueTimeoutMs} ms`;
    return {
      worstCaseMs: inner.worstCaseMs + (queueLimit === 0 ? 0 : queueTimeoutMs),
      refusals: [
        { code: 'LIMIT_EXCEEDED', when: `beyond ${minLimit} to ${maxLimit} calls at a time` },
        ...(queueLimit === 0
          ? []
          : [
              { code: 'QUEUE_TIMED_OUT' as const, when: `after ${queueTimeoutMs} ms in the queue` },
            ]),
      ],
      words: `runs ${minLimit} to ${maxLimit} calls at a time, as ${algorithm} finds${waits}, and refuses others.`,
    };
  }

  inspect(): Partial<PolicySnapshot> {
    const { active, queued } = this.#doorman.gate;
    return { limit: { limit: this.#whole, active, queued } };
  }

  get #whole(): number {
    return Math.floor(this.#algorithm.limit);
  }

  #rules() {
    const { queueLimit, order, queueTimeoutMs } = this.#options;
    return { limit: this.#whole, queueLimit, order, queueTimeoutMs };
  }

  /** Whether calls of this rank have room in a share of their own. */
  #hasShare(rank: number): boolean {
    const share = this.#options.shares[CRITICALITIES[rank]!];
    return share !== undefined && this.#inside[rank]! < Math.floor(share * this.#algorithm.limit);
  }

  #begin(op: Operation, place: Place): void {
    this.#inside[CRITICALITIES.indexOf(op.caller.criticality)]! += 1;
    place.startedMs = this.#world.clock.now();
    place.inFlight = this.#doorman.gate.active;
  }

  #end(op: Operation, place: Place, dropped: boolean): void {
    const nowMs = this.#world.clock.now();
    const rttMs = Math.max(SHORTEST_RTT_MS, nowMs - place.startedMs);
    this.#learn(op, nowMs, rttMs, place.inFlight, dropped);
    this.#depart(op);
  }

  #depart(op: Operation): void {
    this.#inside[CRITICALITIES.indexOf(op.caller.criticality)]! -= 1;
    this.#doorman.leave(op);
  }

  #learn(op: Operation, nowMs: number, rttMs: number, inFlight: number, dropped: boolean): void {
    if (this.#heir !== undefined) {
      this.#heir.#learn(op, nowMs, rttMs, inFlight, dropped);
      return;
    }
    const sample = this.#window.add(nowMs, rttMs, inFlight, dropped);
    if (sample === undefined) return;
    const from = this.#whole;
    const { random, reporter } = this.#world;
    this.#algorithm.sample(sample.rttMs, sample.inFlight, sample.dropped, random.next());
    const to = this.#whole;
    if (to === from) return;
    this.#doorman.rules = this.#rules();
    if (!reporter.listening) return;
    const drops = sample.dropped ? 'calls were dropped' : 'none was dropped';
    const probe = this.#algorithm.probing ? 'a probe of less: ' : '';
    const why = `${probe}calls took ${Math.round(sample.rttMs)} ms with ${sample.inFlight} at a time, ${drops}`;
    reporter.report(op.id, { type: 'limit', policy: this.policy.name, from, to, why });
  }
}
