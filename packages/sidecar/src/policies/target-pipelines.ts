import {
  type BudgetRule,
  type LayerKind,
  type MethodPolicies,
  methodMatches,
  type TargetPolicies,
} from '@holdfast/config';
import {
  type CircuitSnapshot,
  type Clock,
  type Listener,
  type Pipeline,
  type Policy,
  pipeline,
  type RetryBudget,
  retryBudget,
} from '@holdfast/core';
import { PendingAnswer } from '../flow/pending-answer.ts';
import { answerCache, fixedFallback } from './answer-policies.ts';
import { Passage, type PassageLayers } from './passage.ts';
import { Recent } from './recent.ts';

/** What the pipelines of a target ask of their surroundings. */
export interface TargetPipelinesEnv {
  readonly clock: Clock;
  /** Hears the pipelines of a target. */
  report(target: string): Listener | undefined;
  /** A circuit is gone: evicted, or its policy was taken away. */
  forgotten(target: string, pipeline: string): void;
}

/** One circuit, as the metadata shows it. */
export interface CircuitRow extends CircuitSnapshot {
  readonly target: string;
  readonly method: string;
  readonly policy: string;
}

/** An entry of `methods`, and the target that it is a part of. */
interface Part {
  readonly of: TargetPipelines;
  readonly entry: MethodPolicies;
}

/** What is around a method's own pipeline, and the same for all methods. */
interface Around {
  readonly layers: PassageLayers;
  /** Outermost first. */
  readonly outside: readonly Pipeline[];
  readonly inside: readonly Pipeline[];
}

interface OneMethod {
  readonly attempts: Pipeline | undefined;
  readonly passage: Passage;
}

/** What is shared by all methods; `attempts` is not. */
const SHARED = ['answers', 'call', 'rate', 'gate', 'attempt', 'hedges'] as const;
type Shared = (typeof SHARED)[number];

/**
 * One target: what all its methods share, and a pipeline for each of its
 * methods if it has a circuit breaker, else one for all. Methods with policies
 * of their own are targets inside it.
 */
export class TargetPipelines {
  /** As it is shown: of a URL without its password. */
  readonly id: string;
  readonly #env: TargetPipelinesEnv;
  #policies: TargetPolicies;
  #part: Part | undefined;
  #layers = new Map<LayerKind, readonly Policy[]>();
  #around: Around | undefined;
  #report: Listener | undefined;
  readonly #shared = new Map<Shared, Pipeline>();
  #methods: Recent<OneMethod>;
  #parts: readonly { readonly entry: MethodPolicies; readonly target: TargetPipelines }[] = [];
  #budgets = new Map<string, RetryBudget>();

  constructor(id: string, policies: TargetPolicies, env: TargetPipelinesEnv, part?: Part) {
    this.id = id;
    this.#env = env;
    this.#part = part;
    this.#policies = policies;
    this.#methods = this.#newMethods();
    this.replace(policies, part);
  }

  /** What applies, as the file says it. */
  get policies(): TargetPolicies {
    return this.#policies;
  }

  /** The part of the target that calls of this verb and path are of: an entry of `methods`, or all of it. */
  forMethod(verb: string, path: string): TargetPipelines {
    for (const { entry, target } of this.#parts) {
      if (methodMatches(entry.pattern, verb, path)) return target;
    }
    return this;
  }

  /** The way of a call of `method`; undefined where nothing applies. */
  pipelineFor(method: string): Passage | undefined {
    if (this.#layers.size === 0) return undefined;
    const key = this.#policies.circuitBreaker === undefined ? '' : method;
    const known = this.#methods.get(key);
    if (known !== undefined) return known.passage;
    const list = this.#layers.get('attempts');
    const attempts = list === undefined ? undefined : this.#pipeline(`${this.id}:${key}`, list);
    const made = { attempts, passage: this.#passage(attempts) };
    this.#methods.set(key, made);
    return made.passage;
  }

  /** Puts other policies in place; those that kept their names keep their state. */
  replace(policies: TargetPolicies, part?: Part): void {
    const before = this.#policies;
    const hadAttempts = this.#layers.has('attempts');
    this.#policies = policies;
    this.#part = part;
    // One for all: a path with an id in it has a pipeline of its own for every id.
    this.#report = this.#env.report(this.id);
    this.#around = undefined;
    this.#replaceLayers();
    this.#replaceParts();
    const list = this.#layers.get('attempts');
    const sameShape =
      (before.circuitBreaker === undefined) === (policies.circuitBreaker === undefined) &&
      before.circuitCacheSize === policies.circuitCacheSize &&
      hadAttempts === (list !== undefined);
    if (!sameShape) {
      this.#methods.clear();
      this.#methods = this.#newMethods();
      return;
    }
    for (const [method, { attempts }] of [...this.#methods.entries()]) {
      if (list !== undefined) attempts?.swap(list);
      this.#methods.put(method, { attempts, passage: this.#passage(attempts) });
    }
  }

  *circuits(): Iterable<CircuitRow> {
    for (const [method, { attempts }] of this.#methods.entries()) {
      for (const { circuit, name } of attempts?.inspect().policies ?? []) {
        if (circuit !== undefined) yield { target: this.id, method, policy: name, ...circuit };
      }
    }
    for (const { target } of this.#parts) yield* target.circuits();
  }

  dispose(): void {
    this.#methods.clear();
    for (const shared of this.#shared.values()) shared[Symbol.dispose]();
    this.#shared.clear();
    for (const { target } of this.#parts) target.dispose();
  }

  #replaceLayers(): void {
    const budgets = new Map<string, RetryBudget>();
    const layers = this.#policies.layers({
      statusOf,
      protocol: 'http',
      whole: this.#isWhole,
      means: {
        cache: answerCache,
        fallback: fixedFallback,
        // The parts of a target are one dependency, and have one budget.
        budget:
          this.#part === undefined ? (rule) => this.#budget(rule, budgets) : this.#part.of.budget,
      },
    });
    if (this.#part === undefined) this.#budgets = budgets;
    this.#layers = new Map(layers.map(({ kind, policies }) => [kind, Object.freeze(policies)]));
    for (const kind of SHARED) this.#replaceShared(kind, this.#layers.get(kind));
  }

  #replaceShared(kind: Shared, list: readonly Policy[] | undefined): void {
    const known = this.#shared.get(kind);
    if (list === undefined) {
      known?.[Symbol.dispose]();
      this.#shared.delete(kind);
    } else if (known === undefined) {
      this.#shared.set(kind, this.#pipeline(`${this.id} ${kind}`, list));
    } else known.swap(list);
  }

  #replaceParts(): void {
    const known = new Map(this.#parts.map(({ entry, target }) => [entry.name, target]));
    this.#parts = this.#policies.methods.map((entry) => {
      const part = { of: this, entry };
      const target = known.get(entry.name);
      known.delete(entry.name);
      if (target === undefined) {
        return { entry, target: new TargetPipelines(this.id, entry.policies, this.#env, part) };
      }
      target.replace(entry.policies, part);
      return { entry, target };
    });
    for (const target of known.values()) target.dispose();
  }

  /** One pipeline, whatever is called: nothing is shared that could be apart. */
  get #isWhole(): boolean {
    const { circuitBreaker, methods } = this.#policies;
    return circuitBreaker === undefined && methods.length === 0 && this.#part === undefined;
  }

  #passage(attempts: Pipeline | undefined): Passage {
    this.#around ??= this.#newAround();
    const { layers, outside, inside } = this.#around;
    return new Passage(
      layers,
      attempts === undefined ? [...outside, ...inside] : [...outside, attempts, ...inside],
    );
  }

  #newAround(): Around {
    const { cache, fallback } = this.#policies;
    const { clock } = this.#env;
    const call = this.#shared.get('call');
    const rate = this.#sharedOrWhole('rate', this.#part?.entry.sharesRate);
    const gate = this.#sharedOrWhole('gate', this.#part?.entry.sharesBulkhead);
    const attempt = this.#shared.get('attempt');
    return {
      layers: {
        answers: this.#shared.get('answers'),
        hedges: this.#shared.get('hedges'),
        rules: {
          ...(cache === undefined ? {} : { cache }),
          ...(fallback === undefined ? {} : { fallback }),
        },
        nowMs: () => clock.now(),
      },
      outside: [call, rate].filter((one) => one !== undefined),
      inside: [gate, attempt].filter((one) => one !== undefined),
    };
  }

  /** A part has its own, unless it named none: then its calls count with those of the whole target. */
  #sharedOrWhole(kind: 'rate' | 'gate', shares = false): Pipeline | undefined {
    return shares && this.#part !== undefined
      ? this.#part.of.#shared.get(kind)
      : this.#shared.get(kind);
  }

  /** For the parts of this target. */
  readonly budget = (rule: BudgetRule): RetryBudget => this.#budget(rule, this.#budgets);

  #budget(rule: BudgetRule, into: Map<string, RetryBudget>): RetryBudget {
    const key = JSON.stringify(rule);
    const budget = into.get(key) ?? this.#budgets.get(key) ?? retryBudget(rule);
    into.set(key, budget);
    return budget;
  }

  #pipeline(name: string, list: readonly Policy[]): Pipeline {
    const { clock } = this.#env;
    return pipeline(name, list, { report: this.#report, registry: undefined, clock });
  }

  #newMethods(): Recent<OneMethod> {
    return new Recent(this.#policies.circuitCacheSize, ({ attempts }) => {
      if (attempts === undefined) return;
      attempts[Symbol.dispose]();
      this.#env.forgotten(this.id, attempts.name);
    });
  }
}

/**
 * Answers have a status, which for a gRPC call that failed is its code (1 … 16);
 * of errors only the ones that never left this process are without.
 */
function statusOf({ value }: { readonly value?: unknown }): number | undefined {
  return value instanceof PendingAnswer ? value.status : undefined;
}
