import type { Operation } from '../engine/operation.ts';
import { type Entry, HELD, type Stage, type StageWorld } from '../engine/stage.ts';
import type { Forecast, WorstCase } from '../explain/explain.ts';
import type { PolicySnapshot } from '../pipeline.ts';
import type { Call, Policy } from '../policy.ts';
import { forecastFault } from './forecast.ts';
import { Holdings } from './holdings.ts';
import { markInjected } from './injected.ts';
import { type FaultOptions, type ResolvedFaultOptions, resolveFaultOptions } from './options.ts';

/**
 * Puts faults in on purpose, to see whether what is outside of it copes: an
 * error, latency, no answer at all, a wrong result.
 *
 * Innermost in its pipeline it takes the function's place, so that an attempt is
 * counted and every policy sees what it would see of the dependency. Further out
 * it answers, or waits, in place of all that is inside it.
 *
 * @throws RangeError for a value out of range, TypeError for a name that is no option.
 */
export function fault(given: FaultOptions): Policy<ResolvedFaultOptions> {
  const options = resolveFaultOptions(given);
  const policy: Policy<ResolvedFaultOptions> = {
    kind: 'fault',
    name: options.name,
    options,
    stage: (world) => new FaultStage(policy, world),
  };
  return policy;
}

/** What one operation keeps for a fault further out: what ends its waiting. */
interface Stay {
  cancel: (() => void) | undefined;
}

class FaultStage implements Stage {
  readonly policy: Policy<ResolvedFaultOptions>;
  readonly #options: ResolvedFaultOptions;
  readonly #world: StageWorld;
  #untilMs: number;
  #injected = 0;
  #holdings: Holdings;

  constructor(policy: Policy<ResolvedFaultOptions>, world: StageWorld) {
    this.policy = policy;
    this.#options = policy.options;
    this.#world = world;
    this.#untilMs = world.clock.now() + policy.options.forMs;
    this.#holdings = new Holdings(world.clock, world.faults);
  }

  slot(): Stay {
    return { cancel: undefined };
  }

  enter(op: Operation, index: number): Entry {
    const leftMs = this.#untilMs - this.#world.clock.now();
    if (leftMs <= 0 || !this.#world.faults.allowed || !this.#strikes(op)) return undefined;
    const { inject } = this.#options;
    this.#injected += 1;
    if (inject === 'error' || inject === 'result') {
      this.#report(op, undefined);
      return this.#answer(op, index, inject);
    }
    const delayMs = inject === 'hang' ? leftMs : Math.min(this.#delayMs(), leftMs);
    this.#report(op, inject === 'hang' ? undefined : delayMs);
    return this.#delay(op, index, delayMs);
  }

  leave(): undefined {
    // What comes up is the function's own, or what was put in its place.
  }

  abandon(op: Operation, index: number): void {
    const stay = op.slots[index] as Stay;
    stay.cancel?.();
    stay.cancel = undefined;
  }

  adopt(old: Stage): void {
    // The same fault does not begin anew because something beside it was swapped.
    if (!(old instanceof FaultStage) || old.policy !== this.policy) return;
    this.#untilMs = old.#untilMs;
    this.#injected = old.#injected;
    this.#holdings = old.#holdings;
  }

  forecast(inner: WorstCase): Forecast {
    return forecastFault(inner, this.#options);
  }

  inspect(): Partial<PolicySnapshot> {
    const { inject, ratio } = this.#options;
    const leftMs = Math.max(0, this.#untilMs - this.#world.clock.now());
    const expiresInMs = this.#world.faults.allowed ? Math.ceil(leftMs) : 0;
    const { size: held } = this.#holdings;
    return { fault: { inject, ratio, expiresInMs, injected: this.#injected, held } };
  }

  #strikes(op: Operation): boolean {
    const { enabled, ratio } = this.#options;
    const { options, criticality } = op.caller;
    const { cacheKey, key } = options ?? {};
    try {
      if (!enabled({ key, cacheKey, criticality, attempt: op.attempts + 1 })) return false;
    } catch {
      // A gate that cannot tell must not break calls: that would be a fault nobody asked for.
      return false;
    }
    return ratio === 1 || this.#world.random.next() < ratio;
  }

  #delayMs(): number {
    const { delayMs, jitterMs } = this.#options;
    return jitterMs === 0 ? delayMs : delayMs + this.#world.random.next() * jitterMs;
  }

  #answer(op: Operation, index: number, inject: 'error' | 'result'): Entry {
    const { error, result } = this.#options;
    if (index !== op.program.last) {
      return inject === 'error'
        ? op.answer(markInjected(error()), true)
        : op.answer(result(), false);
    }
    return op.instead(
      inject === 'result'
        ? result
        : () => {
            throw markInjected(error());
          },
    );
  }

  #delay(op: Operation, index: number, ms: number): Entry {
    if (index === op.program.last) {
      const { fn } = op;
      return op.instead((call) => this.#later(ms, call).then(() => fn(call)));
    }
    const stay = op.slots[index] as Stay;
    op.keepContext();
    stay.cancel = this.#holdings.hold(ms, () => {
      stay.cancel = undefined;
      op.resume(index);
    });
    return HELD;
  }

  /** Resolves when the call is let go, and rejects when it is ended before. */
  #later(ms: number, { signal }: Call): Promise<void> {
    return new Promise((resolve, reject) => {
      const abort = () => {
        cancel();
        reject(signal.reason);
      };
      const cancel = this.#holdings.hold(ms, () => {
        signal.removeEventListener('abort', abort);
        resolve();
      });
      signal.addEventListener('abort', abort, { once: true });
    });
  }

  #report(op: Operation, delayMs: number | undefined): void {
    const { reporter } = this.#world;
    if (!reporter.listening) return;
    const { inject: kind } = this.#options;
    const delay = delayMs === undefined ? undefined : { delayMs };
    reporter.report(op.id, { type: 'fault', policy: this.policy.name, fault: kind, ...delay });
  }
}
