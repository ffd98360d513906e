import type {
  ComponentType,
  Direction,
  ResiliencyPolicies,
  TargetPolicies,
} from '@holdfast/config';
import { type Listener, type Pipeline, pipeline, retry } from '@holdfast/core';
import { withoutCredentials } from '../flow/headers/without-credentials.ts';
import { UpstreamError } from '../flow/upstream-error.ts';
import { DeliveryError } from '../pubsub/deliver/delivery-error.ts';
import { PublishFailure } from '../pubsub/publish/publish-failure.ts';
import { Recent } from './recent.ts';
import { type CircuitRow, TargetPipelines, type TargetPipelinesEnv } from './target-pipelines.ts';

/** Targets whose state is kept; a client can name as many as it likes. */
const MAX_TARGETS = 1_000;

/** What the book asks of its surroundings. */
export interface PolicyBookEnv extends TargetPipelinesEnv {
  /** Hears a pipeline of a component; `label` as Dapr's metrics have it: `Statestore_orders`. */
  reportComponent(label: string, direction: Direction): Listener | undefined;
  /** Hears the retries of an unreachable peer. */
  readonly reportBuiltIn?: Listener;
  /** A call, or an event, meets the policies of a component. */
  appliedComponent?(label: string, direction: Direction, policies: TargetPolicies): void;
}

/** The policies of every target, live: what the file says, and the circuits that came of it. */
export class PolicyBook {
  #policies: ResiliencyPolicies;
  readonly #env: PolicyBookEnv;
  readonly #targets = new Recent<TargetPipelines>(MAX_TARGETS, (target) => target.dispose());
  /** By direction and the component's name; there are as many as resources. */
  readonly #components = new Map<string, ComponentPipeline>();
  #builtIn: Pipeline;

  constructor(policies: ResiliencyPolicies, env: PolicyBookEnv) {
    this.#policies = policies;
    this.#env = env;
    this.#builtIn = builtInRetries(policies, this.#env.reportBuiltIn);
  }

  /** `id` as the client wrote it: targets are looked up by that very text. */
  forTarget(id: string): TargetPipelines {
    const known = this.#targets.get(id);
    if (known !== undefined) return known;
    const shown = withoutCredentials(id);
    const target = new TargetPipelines(shown, this.#policies.forApp(id), this.#env);
    this.#targets.set(id, target);
    return target;
  }

  /**
   * What applies to calls of a component (outbound), or to events on their way
   * from it to the application (inbound); undefined where nothing does.
   */
  forComponent(name: string, type: ComponentType, direction: Direction): Pipeline | undefined {
    const key = `${direction} ${name}`;
    let known = this.#components.get(key);
    if (known === undefined) {
      known = this.#componentPipeline({ name, type, direction });
      this.#components.set(key, known);
    }
    if (known.pipeline !== undefined) {
      // Looked at, an open circuit whose time is over is half-open: so it is counted, as in Dapr.
      if (known.policies.circuitBreaker !== undefined) known.pipeline.inspect();
      this.#env.appliedComponent?.(`${type}_${name}`, direction, known.policies);
    }
    return known.pipeline;
  }

  /** Retries of an unreachable peer, for targets the file does not list. */
  get builtInRetries(): Pipeline {
    return this.#builtIn;
  }

  /** Puts a new file in force. Circuits of policies that kept their names keep their state. */
  replace(policies: ResiliencyPolicies): void {
    this.#policies = policies;
    this.#builtIn = builtInRetries(policies, this.#env.reportBuiltIn);
    for (const [id, target] of this.#targets.entries()) target.replace(policies.forApp(id));
    for (const [key, known] of this.#components) {
      const found = policiesOf(policies, known.which);
      const list = asPipeline(found, known.which);
      if (known.pipeline === undefined || list.length === 0) {
        this.#components.set(key, this.#componentPipeline(known.which));
        continue;
      }
      known.pipeline.swap(list);
      known.policies = found;
    }
  }

  circuits(): readonly CircuitRow[] {
    return [...this.#targets.entries()].flatMap(([, target]) => [...target.circuits()]);
  }

  #componentPipeline(which: Which): ComponentPipeline {
    const found = policiesOf(this.#policies, which);
    const list = asPipeline(found, which);
    if (list.length === 0) return { which, policies: found, pipeline: undefined };
    const { name, type, direction } = which;
    const report = this.#env.reportComponent(`${type}_${name}`, direction);
    const whose = direction === 'outbound' ? 'component' : 'inbound';
    const made = pipeline(`${whose} ${name}`, list, { report, registry: undefined });
    return { which, policies: found, pipeline: made };
  }
}

/** A component, and which way it is passed. */
interface Which {
  readonly name: string;
  readonly type: ComponentType;
  readonly direction: Direction;
}

interface ComponentPipeline {
  readonly which: Which;
  policies: TargetPolicies;
  readonly pipeline: Pipeline | undefined;
}

const policiesOf = (policies: ResiliencyPolicies, { name, type, direction }: Which) =>
  policies.forComponent(name, type, direction);

/**
 * What a component throws has no status, but for a broker's failure: every failure
 * of it is one, and may be tried again. Inbound it is the application that fails, and it may have one.
 */
function asPipeline(found: TargetPolicies, { direction }: Which) {
  return direction === 'outbound'
    ? found.policies(publishStatus, 'grpc')
    : found.policies(deliveryStatus, 'http');
}

function publishStatus({ error }: { readonly error?: unknown }): number | undefined {
  return error instanceof PublishFailure ? error.status : undefined;
}

function deliveryStatus({ error }: { readonly error?: unknown }): number | undefined {
  return error instanceof DeliveryError ? error.status : undefined;
}

function builtInRetries(policies: ResiliencyPolicies, report: Listener | undefined): Pipeline {
  const { name, backoff, delayMs, factor, maxDelayMs, jitter, maxRetries, maxElapsedMs } =
    policies.builtInServiceRetries();
  const options = { name, backoff, delayMs, factor, maxDelayMs, jitter, maxRetries, maxElapsedMs };
  return pipeline(name, [retry({ ...options, retryIf: isUnreachable })], {
    registry: undefined,
    report,
  });
}

/** The peer's sidecar did not get the call, so another attempt can do no harm. */
export function isUnreachable(error: unknown): boolean {
  return error instanceof UpstreamError && error.code === 'UNREACHABLE';
}
