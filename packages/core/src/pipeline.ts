/// <reference lib="esnext.disposable" preserve="true" />
import type { CircuitSnapshot } from './breaker/snapshot.ts';
import type { RetryBudgetSnapshot } from './budget/retry-budget.ts';
import { checkFunction, checkMethods, checkName, checkOptions } from './check.ts';
import { alarmsOf, systemClock } from './clock.ts';
import { Program, type Tally } from './engine/program.ts';
import { Reporter } from './engine/reporter.ts';
import type { StageWorld } from './engine/stage.ts';
import { ENV, type Env } from './env.ts';
import { type Explanation, explain } from './explain/explain.ts';
import type { FaultKind } from './fault/options.ts';
import type {
  Call,
  CallFunction,
  Criticality,
  ExecuteOptions,
  Policy,
  PolicyKind,
} from './policy.ts';
import { systemRandom } from './random.ts';
import { type ForcePipeline, registry as processRegistry, type Registry } from './registry.ts';

/** A chain of policies with a name. Calls through it share its state: circuits, permits, queues. */
export interface Pipeline {
  /** Names it in events, metrics, errors and the registry. */
  readonly name: string;
  /** Outermost first. */
  readonly policies: readonly Policy[];

  /**
   * Calls `fn`, once or more often as the policies say, and gives its result or throws its error, as they
   * are; where a policy refused the call or broke it off, a `PolicyError`. Never throws at once: what is
   * wrong with `fn` or an option rejects.
   */
  execute<T>(fn: CallFunction<T>, options?: ExecuteOptions<T>): Promise<T>;

  /** `fn` behind this pipeline; keeps its name, length, `this` and types, of an overloaded one as well. */
  wrap<F extends object>(fn: F & Wrappable<F>): F;
  /** As above, for a function that is not asynchronous yet: of overloads, the types of the last. */
  wrap<This, A extends unknown[], R>(
    fn: (this: This, ...args: A) => PromiseLike<R> | R,
  ): (this: This, ...args: A) => Promise<R>;

  /** As `wrap`, for a function that wants to know about its call: it comes before its own arguments. */
  wrapCall<This, A extends unknown[], R>(
    fn: (this: This, call: Call, ...args: A) => PromiseLike<R> | R,
  ): (this: This, ...args: A) => Promise<R>;
  /** What it does, as data and in words. */
  explain(): Explanation;

  /** Its live state; cheap enough for a health check. */
  inspect(): PipelineSnapshot;

  /**
   * Puts other policies in place. One of the same kind and name keeps its
   * state (circuit, permits, queue) under its new options; calls in flight end
   * under the policies they began with.
   */
  swap(policies: readonly Policy[]): void;

  /**
   * Drops what its caches have for `cacheKey`, here at once and in their stores: the next call asks
   * the dependency. What is being fetched at the moment is given to those who wait for it, and not
   * kept. Other processes' memory is not reached. Rejects where a store fails.
   */
  invalidate(cacheKey: string): Promise<void>;

  /** As `invalidate`, for every key. */
  invalidateAll(): Promise<void>;

  /** Takes it off the registry. Calls in flight end as usual. */
  [Symbol.dispose](): void;
}

/**
 * Functions whose type stays true of what wraps them: a plain promise of their
 * result must be all that they return, and they must be nothing but a function.
 */
export type Wrappable<F> = keyof F extends never
  ? F extends (...args: never[]) => infer Returned
    ? Returned extends Promise<unknown>
      ? Promise<Awaited<Returned>> extends Returned
        ? unknown
        : never
      : never
    : never
  : never;

/** The live state of a pipeline. */
export interface PipelineSnapshot {
  readonly name: string;
  /** Calls begun and not ended, waits included. */
  readonly inFlight: number;
  readonly policies: readonly PolicySnapshot[];
}

/** One policy's part of a snapshot; beside kind, name and options what its kind has. */
export interface PolicySnapshot {
  readonly kind: PolicyKind;
  readonly name: string;
  readonly options: Readonly<object>;
  readonly circuit?: CircuitSnapshot;
  /** Calls inside, and waiting. */
  readonly bulkhead?: { readonly active: number; readonly queued: number };
  /** The budget of a retry or a hedge that has one, as it stands for all that share it. */
  readonly budget?: RetryBudgetSnapshot;
  readonly fault?: {
    readonly inject: FaultKind;
    readonly ratio: number;
    /** 0 once it is over, or stopped. */
    readonly expiresInMs: number;
    /** Into so many calls so far. */
    readonly injected: number;
    /** Calls that are held back now. */
    readonly held: number;
  };
  /** Answers in memory, what they weigh by `sizeOf`, and questions under way. */
  readonly cache?: { readonly entries: number; readonly bytes: number; readonly fetching: number };
  /** What a hedge waits now; Infinity while too few calls are known. */
  readonly hedge?: { readonly delayMs: number };
  /** Keys with a rate of their own, and calls waiting for their turn. */
  readonly rate?: { readonly keys: number; readonly waiting: number };
  /** In the window; `rejectProbability` is that of a critical call, 0 … 1. */
  readonly throttle?: {
    readonly calls: number;
    readonly accepts: number;
    readonly rejectProbability: number;
  };
  /** An adaptive limit, whole. */
  readonly limit?: { readonly limit: number; readonly active: number; readonly queued: number };
  /** `load` as the probe measured it last, and from which criticality on calls are shed. */
  readonly shed?: { readonly load: number; readonly from: Criticality | undefined };
}

/**
 * Composes policies, outermost first: `pipeline('p', [retry(), timeout({ limitMs: 800 })])` times out each
 * attempt. An `env` changes what it takes from the world: its clock and chance, who hears its events.
 *
 * @throws RangeError for an empty name, or two policies of one kind and name; TypeError for what is no policy.
 */
export function pipeline(
  name: string,
  policies: readonly Policy[],
  env: Partial<Env> = {},
): Pipeline {
  return new LivePipeline(name, policies, env);
}

/**
 * One of a keyed pipeline.
 *
 * @internal
 */
export interface FamilyPipeline extends Pipeline {
  readonly force: ForcePipeline;
  /** Lets go of what it keeps to be quick with the next call, until that comes. */
  rest(): void;
}

/**
 * A pipeline of a family: its events carry `key`, and it is not listed itself.
 * There may be a hundred thousand: it keeps no closure of its own.
 *
 * @internal
 */
export const pipelineFor = (
  name: string,
  policies: readonly Policy[],
  env: Partial<Env>,
  key: string,
): FamilyPipeline => new LivePipeline(name, policies, env, key);

const notListed = () => {};

class LivePipeline implements FamilyPipeline {
  readonly name: string;
  readonly #world: StageWorld;
  readonly #tally: Tally = { inFlight: 0 };
  readonly #unlist: () => void;
  #policies: readonly Policy[];
  #program: Program;

  /** `key`: it is one of a family. */
  constructor(name: string, policies: readonly Policy[], env: Partial<Env>, key?: string) {
    checkName('pipeline.name', name);
    checkEnv(env);
    this.name = name;
    const clock = env.clock ?? systemClock;
    const registry = 'registry' in env ? env.registry : processRegistry;
    this.#world = {
      pipeline: name,
      key,
      clock,
      random: env.random ?? systemRandom,
      alarms: alarmsOf(clock),
      reporter: new Reporter(name, env.report, registry?.hub, key),
      // A switch that did not reach those in no registry would not be one.
      faults: (registry ?? processRegistry).faults,
    };
    this.#policies = checkPolicies(policies);
    this.#program = this.#bringToLife(this.#policies);
    this.#unlist = key === undefined && registry !== undefined ? this.#list(registry) : notListed;
  }

  #list(registry: Registry): () => void {
    return registry.add(this, (as, forMs) => this.force(as, forMs));
  }

  get policies(): readonly Policy[] {
    return this.#policies;
  }

  execute<T>(fn: CallFunction<T>, options?: ExecuteOptions<T>): Promise<T> {
    if (typeof fn !== 'function') {
      return Promise.reject(new TypeError(`execute.fn must be a function, not ${String(fn)}.`));
    }
    return this.#program.take().start(fn, options);
  }

  // What the two signatures in `Pipeline` promise of `F` is more than can be said here.
  wrap<This, A extends unknown[], R>(fn: (this: This, ...args: A) => PromiseLike<R> | R): never {
    checkFunction('wrap.fn', fn ?? null);
    const execute = (attempt: CallFunction<R>) => this.execute(attempt);
    const wrapped = function (this: This, ...args: A): Promise<R> {
      return execute(() => fn.apply(this, args));
    };
    return likeness(wrapped, fn.name, fn.length) as never;
  }

  wrapCall<This, A extends unknown[], R>(
    fn: (this: This, call: Call, ...args: A) => PromiseLike<R> | R,
  ): (this: This, ...args: A) => Promise<R> {
    checkFunction('wrapCall.fn', fn ?? null);
    const execute = (attempt: CallFunction<R>) => this.execute(attempt);
    const wrapped = function (this: This, ...args: A): Promise<R> {
      return execute((call) => fn.call(this, call, ...args));
    };
    return likeness(wrapped, fn.name, Math.max(0, fn.length - 1));
  }

  explain(): Explanation {
    return explain(this.name, this.#program.stages);
  }

  inspect(): PipelineSnapshot {
    const policies = this.#program.stages.map((stage): PolicySnapshot => {
      const { kind, name, options } = stage.policy;
      return { kind, name, options, ...stage.inspect?.() };
    });
    return { name: this.name, inFlight: this.#tally.inFlight, policies };
  }

  swap(policies: readonly Policy[]): void {
    const checked = checkPolicies(policies);
    const next = this.#bringToLife(checked);
    for (const stage of next.stages) {
      const { kind, name } = stage.policy;
      const old = this.#program.stages.find(
        ({ policy }) => policy.kind === kind && policy.name === name,
      );
      if (old !== undefined) stage.adopt?.(old);
    }
    this.#program.rest();
    this.#program = next;
    this.#policies = checked;
  }

  async invalidate(cacheKey: string): Promise<void> {
    if (typeof cacheKey !== 'string') {
      throw new TypeError(
        `invalidate.cacheKey must be a string, not ${String(cacheKey)}. For all keys there is invalidateAll().`,
      );
    }
    await this.#invalidate(cacheKey);
  }

  async invalidateAll(): Promise<void> {
    await this.#invalidate(undefined);
  }

  [Symbol.dispose](): void {
    this.#unlist();
    this.rest();
  }

  async #invalidate(cacheKey: string | undefined): Promise<void> {
    await Promise.all(this.#program.stages.map((stage) => stage.invalidate?.(cacheKey)));
  }

  #bringToLife(policies: readonly Policy[]): Program {
    const stages = policies.map((policy) => policy.stage(this.#world));
    return new Program(this.#world, stages, this.#tally);
  }

  rest(): void {
    this.#program.rest();
  }

  force(as: Parameters<ForcePipeline>[0], forMs: number): boolean {
    const circuits = this.#program.stages.filter((stage) => stage.force !== undefined);
    for (const stage of circuits) stage.force?.(as, forMs);
    return circuits.length > 0;
  }
}

function checkEnv(env: Partial<Env>): void {
  checkOptions('pipeline.env', env, ENV);
  checkMethods('pipeline.clock', env.clock, 'now', 'wallMs', 'sleep', 'timer');
  checkMethods('pipeline.random', env.random, 'next');
  checkMethods('pipeline.registry', env.registry, 'add', 'addFamily');
  checkFunction('pipeline.report', env.report);
}

/** `fn` with another's name and number of arguments, so that it passes for it. */
function likeness<F extends object>(fn: F, name: string, length: number): F {
  return Object.defineProperties(fn, {
    name: { value: name, configurable: true },
    length: { value: length, configurable: true },
  });
}

/** Lists found good that cannot change any more: thousands of pipelines may be made of one. */
const foundGood = /* @__PURE__ */ new WeakSet<readonly Policy[]>();

/** Two policies of one kind and name could not be told apart in events, metrics and a swap. */
function checkPolicies(policies: readonly Policy[]): readonly Policy[] {
  if (foundGood.has(policies)) return policies;
  if (!Array.isArray(policies)) {
    throw new TypeError(`pipeline.policies must be a list of policies, not ${String(policies)}.`);
  }
  for (const [index, policy] of policies.entries()) {
    if (typeof policy?.stage === 'function') continue;
    throw new TypeError(
      `pipeline.policies[${index}] must be a policy, such as retry() makes one, not ${String(policy)}.`,
    );
  }
  const seen = new Set<string>();
  for (const { kind, name } of policies) {
    const identity = `${kind} "${name}"`;
    if (seen.has(identity)) {
      throw new RangeError(
        `pipeline.policies must have names that differ within a kind, not ${identity} twice. Give one a name of its own.`,
      );
    }
    seen.add(identity);
  }
  if (!Object.isFrozen(policies)) return [...policies];
  foundGood.add(policies);
  return policies;
}
