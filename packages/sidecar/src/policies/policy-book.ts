import type { ComponentType, ResiliencyPolicies, TargetPolicies } from '@holdfast/config';
import {
  type CircuitSnapshot,
  type Listener,
  type Pipeline,
  type Policy,
  pipeline,
  retry,
} from '@holdfast/core';
import { PendingAnswer } from '../flow/pending-answer.ts';
import { UpstreamError } from '../flow/upstream-error.ts';
import { DeliveryError } from '../pubsub/delivery-error.ts';
import { Recent } from './recent.ts';

/** Targets whose state is kept; a client can name as many as it likes. */
const MAX_TARGETS = 1_000;

/** What the book asks of its surroundings. */
export interface PolicyBookEnv {
  /** Hears the pipelines of a target. */
  report(target: string): Listener | undefined;
  /** Hears the pipeline of a component; `label` as Dapr's metrics have it: `Statestore_orders`. */
  reportComponent(label: string): Listener | undefined;
  /** The same for what comes in from a component. */
  reportInbound(label: string): Listener | undefined;
  /** A circuit is gone: evicted, or its policy was taken away. */
  forgotten(target: string, pipeline: string): void;
}

/** One circuit, as the metadata shows it. */
export interface CircuitRow extends CircuitSnapshot {
  readonly target: string;
  readonly method: string;
  readonly policy: string;
}

/** The policies of every target, live: what the file says, and the circuits that came of it. */
export class PolicyBook {
  #policies: ResiliencyPolicies;
  readonly #env: PolicyBookEnv;
  readonly #targets = new Recent<TargetPipelines>(MAX_TARGETS, (target) => target.dispose());
  /** By component's name; what the file named them is few. */
  readonly #components = new Map<string, ComponentPipeline>();
  /** Those of the events that a broker hands over. */
  readonly #inbound = new Map<string, Pipeline | undefined>();
  #builtIn: Pipeline;

  constructor(policies: ResiliencyPolicies, env: PolicyBookEnv) {
    this.#policies = policies;
    this.#env = env;
    this.#builtIn = builtInRetries(policies);
  }

  /** `id` as the client wrote it: targets are looked up by that very text. */
  forTarget(id: string): TargetPipelines {
    const known = this.#targets.get(id);
    if (known !== undefined) return known;
    const target = new TargetPipelines(id, this.#policies.forApp(id), this.#env);
    this.#targets.set(id, target);
    return target;
  }

  /** The outbound pipeline of a component; undefined where nothing applies to it. */
  forComponent(name: string, type: ComponentType): Pipeline | undefined {
    let known = this.#components.get(name);
    if (known === undefined) {
      known = { type, pipeline: this.#componentPipeline(name, type) };
      this.#components.set(name, known);
    }
    return known.pipeline;
  }

  /** What applies to events on their way from a broker to the application. */
  forInbound(name: string): Pipeline | undefined {
    if (!this.#inbound.has(name)) this.#inbound.set(name, this.#inboundPipeline(name));
    return this.#inbound.get(name);
  }

  /** Retries of an unreachable peer, for targets the file does not list. */
  get builtInRetries(): Pipeline {
    return this.#builtIn;
  }

  /** Puts a new file in force. Circuits of policies that kept their names keep their state. */
  replace(policies: ResiliencyPolicies): void {
    this.#policies = policies;
    this.#builtIn = builtInRetries(policies);
    for (const [id, target] of this.#targets.entries()) target.replace(policies.forApp(id));
    for (const [name, known] of this.#components) {
      const list = componentPolicies(policies, name, known.type);
      if (known.pipeline !== undefined && list.length > 0) known.pipeline.swap(list);
      else known.pipeline = this.#componentPipeline(name, known.type);
    }
    for (const [name, known] of this.#inbound) {
      const list = inboundPolicies(policies, name);
      if (known !== undefined && list.length > 0) known.swap(list);
      else this.#inbound.set(name, this.#inboundPipeline(name));
    }
  }

  circuits(): readonly CircuitRow[] {
    return [...this.#targets.entries()].flatMap(([, target]) => [...target.circuits()]);
  }

  #inboundPipeline(name: string): Pipeline | undefined {
    const list = inboundPolicies(this.#policies, name);
    if (list.length === 0) return undefined;
    const report = this.#env.reportInbound(`Pubsub_${name}`);
    return pipeline(`inbound ${name}`, list, { report, registry: undefined });
  }

  #componentPipeline(name: string, type: ComponentType): Pipeline | undefined {
    const list = componentPolicies(this.#policies, name, type);
    if (list.length === 0) return undefined;
    const report = this.#env.reportComponent(`${type}_${name}`);
    return pipeline(`component ${name}`, list, { report, registry: undefined });
  }
}

interface ComponentPipeline {
  readonly type: ComponentType;
  pipeline: Pipeline | undefined;
}

/** What a component throws has no status: every failure of it is one, and may be tried again. */
function componentPolicies(policies: ResiliencyPolicies, name: string, type: ComponentType) {
  return policies.forComponent(name, type, 'outbound').policies(() => undefined, 'grpc');
}

/** Here there is a status where the application answered with one. */
function inboundPolicies(policies: ResiliencyPolicies, name: string) {
  return policies.forComponent(name, 'Pubsub', 'inbound').policies(deliveryStatus, 'http');
}

function deliveryStatus({ error }: { readonly error?: unknown }): number | undefined {
  return error instanceof DeliveryError ? error.status : undefined;
}

/** One target: a pipeline for each of its methods if it has a circuit breaker, else one for all. */
export class TargetPipelines {
  readonly id: string;
  #policies: TargetPolicies;
  #methods: Recent<Pipeline>;
  readonly #env: PolicyBookEnv;
  #list: readonly Policy[];

  constructor(id: string, policies: TargetPolicies, env: PolicyBookEnv) {
    this.id = id;
    this.#env = env;
    this.#policies = policies;
    this.#list = policies.policies(statusOf, 'http');
    this.#methods = this.#newMethods();
  }

  /** What applies, as the file says it. */
  get policies(): TargetPolicies {
    return this.#policies;
  }

  /** The pipeline a call of `method` passes; undefined where nothing applies. */
  pipelineFor(method: string): Pipeline | undefined {
    if (this.#list.length === 0) return undefined;
    const key = this.#policies.circuitBreaker === undefined ? '' : method;
    const known = this.#methods.get(key);
    if (known !== undefined) return known;
    const made = pipeline(`${this.id}:${key}`, this.#list, {
      report: this.#env.report(this.id),
      registry: undefined,
    });
    this.#methods.set(key, made);
    return made;
  }

  replace(policies: TargetPolicies): void {
    const before = this.#policies;
    this.#policies = policies;
    this.#list = policies.policies(statusOf, 'http');
    const sameShape =
      (before.circuitBreaker === undefined) === (policies.circuitBreaker === undefined) &&
      before.circuitCacheSize === policies.circuitCacheSize &&
      this.#list.length > 0;
    if (!sameShape) {
      this.#methods.clear();
      this.#methods = this.#newMethods();
      return;
    }
    for (const [, method] of this.#methods.entries()) method.swap(this.#list);
  }

  *circuits(): Iterable<CircuitRow> {
    for (const [method, { policies }] of this.#snapshots()) {
      for (const { circuit, name } of policies) {
        if (circuit !== undefined) yield { target: this.id, method, policy: name, ...circuit };
      }
    }
  }

  dispose(): void {
    this.#methods.clear();
  }

  *#snapshots(): Iterable<[string, ReturnType<Pipeline['inspect']>]> {
    for (const [method, one] of this.#methods.entries()) yield [method, one.inspect()];
  }

  #newMethods(): Recent<Pipeline> {
    return new Recent(this.#policies.circuitCacheSize, (gone) => {
      gone[Symbol.dispose]();
      this.#env.forgotten(this.id, gone.name);
    });
  }
}

/** Answers have a status; of errors only the ones that never left this process are without. */
function statusOf({ value }: { readonly value?: unknown }): number | undefined {
  return value instanceof PendingAnswer ? value.status : undefined;
}

function builtInRetries(policies: ResiliencyPolicies): Pipeline {
  const { name, backoff, delayMs, factor, maxDelayMs, jitter, maxRetries, maxElapsedMs } =
    policies.builtInServiceRetries();
  const options = { name, backoff, delayMs, factor, maxDelayMs, jitter, maxRetries, maxElapsedMs };
  return pipeline(name, [retry({ ...options, retryIf: isUnreachable })], {
    registry: undefined,
    report: undefined,
  });
}

/** The peer's sidecar did not get the call, so another attempt can do no harm. */
export function isUnreachable(error: unknown): boolean {
  return error instanceof UpstreamError && error.code === 'UNREACHABLE';
}
