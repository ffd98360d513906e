/// <reference lib="esnext.disposable" preserve="true" />
import { checkInteger, checkName } from '../check.ts';
import type { Env } from '../env.ts';
import { type Pipeline, type PipelineSnapshot, pipelineFor } from '../pipeline.ts';
import type { CallFunction, ExecuteOptions, Policy } from '../policy.ts';
import { type ForcePipeline, registry as processRegistry } from '../registry.ts';

export interface KeyedPipelineOptions {
  /**
   * Keys with a pipeline of their own. Of more, the one used longest ago goes that
   * has no call in flight and no open circuit, and begins anew when it is used
   * again. Only where the thousand used longest ago are all in use one of these
   * goes, and its limits with it.
   *
   * @default 1_000 (1 … 1_000_000)
   */
  readonly maxKeys?: number;
}

/** The same policies for many targets (hosts, tenants), each with a state of its own. */
export interface KeyedPipeline {
  readonly name: string;
  /** Runs `fn` through the pipeline of `options.key`. */
  execute<T>(fn: CallFunction<T>, options: KeyedExecuteOptions<T>): Promise<T>;
  /** The pipeline of one key; made where there is none. Do not keep it: it may be let go of. */
  for(key: string): Pipeline;
  /** Puts other policies in place, for all keys; circuits and queues of the same kind and name go on. */
  swap(policies: KeyedPolicies): void;
  inspect(): KeyedSnapshot;
  /** Takes it off the registry. Calls in flight end as usual. */
  [Symbol.dispose](): void;
}

export type KeyedExecuteOptions<T> = ExecuteOptions<T> & { readonly key: string };

/** One list for all keys, or what makes one for a key. */
export type KeyedPolicies = readonly Policy[] | ((key: string) => readonly Policy[]);

/** The live state of a keyed pipeline. */
export interface KeyedSnapshot {
  readonly name: string;
  readonly maxKeys: number;
  /** Keys that had to go since it was made. */
  readonly evicted: number;
  /** By key, the one used longest ago first. */
  readonly keys: Readonly<Record<string, PipelineSnapshot>>;
}

/**
 * How many keys are looked at for one that nobody would miss. Those that are in
 * use count as used again, so that the next search begins behind them.
 */
const CANDIDATES = 1_000;

/**
 * Makes a pipeline per key, bounded. Events carry the family's name and the key.
 *
 * @throws RangeError for a bad name, bound or policy.
 */
export function keyedPipeline(
  name: string,
  policies: KeyedPolicies,
  env: Partial<Env> & KeyedPipelineOptions = {},
): KeyedPipeline {
  const { maxKeys = 1_000, ...rest } = env;
  checkName('keyedPipeline.name', name);
  checkInteger('keyedPipeline.maxKeys', maxKeys, 1, 1_000_000);
  const family = new Family(name, policies, rest, maxKeys);
  // A list that cannot stand together is found now, not at the first call.
  if (typeof policies !== 'function') family.check(policies);
  return family;
}

class Family implements KeyedPipeline {
  readonly name: string;
  readonly #env: Partial<Env>;
  readonly #maxKeys: number;
  readonly #unlist: () => void;
  /** In the order in which they were used: a Map keeps that of insertion. */
  readonly #members = new Map<
    string,
    { readonly pipeline: Pipeline; readonly force: ForcePipeline }
  >();
  #policies: KeyedPolicies;
  #evicted = 0;

  constructor(name: string, policies: KeyedPolicies, env: Partial<Env>, maxKeys: number) {
    this.name = name;
    this.#policies = policies;
    this.#env = env;
    this.#maxKeys = maxKeys;
    const registry = 'registry' in env ? env.registry : processRegistry;
    this.#unlist =
      registry?.addFamily(this, (key, as, forMs) => this.#force(key, as, forMs)) ?? (() => {});
  }

  execute<T>(fn: CallFunction<T>, options: KeyedExecuteOptions<T>): Promise<T> {
    if (typeof options?.key !== 'string') {
      const rule = `execute.key must be a string in the keyed pipeline "${this.name}"`;
      return Promise.reject(new TypeError(`${rule}, not ${String(options?.key)}.`));
    }
    return this.for(options.key).execute(fn, options);
  }

  for(key: string): Pipeline {
    const known = this.#members.get(key);
    if (known !== undefined) {
      this.#members.delete(key);
      this.#members.set(key, known);
      return known.pipeline;
    }
    if (this.#members.size >= this.#maxKeys) this.#evict();
    const member = pipelineFor(this.name, this.#policiesOf(key), this.#env, key);
    this.#members.set(key, member);
    return member.pipeline;
  }

  swap(policies: KeyedPolicies): void {
    if (typeof policies !== 'function') this.check(policies);
    this.#policies = policies;
    for (const [key, { pipeline }] of this.#members) pipeline.swap(this.#policiesOf(key));
  }

  inspect(): KeyedSnapshot {
    const keys = Object.fromEntries(
      Array.from(this.#members, ([key, { pipeline }]) => [key, pipeline.inspect()]),
    );
    return { name: this.name, maxKeys: this.#maxKeys, evicted: this.#evicted, keys };
  }

  check(policies: readonly Policy[]): void {
    pipelineFor(this.name, policies, this.#env, '');
  }

  [Symbol.dispose](): void {
    this.#unlist();
  }

  #policiesOf(key: string): readonly Policy[] {
    return typeof this.#policies === 'function' ? this.#policies(key) : this.#policies;
  }

  #evict(): void {
    const [oldest] = this.#members.keys();
    let victim = oldest!;
    let left = Math.min(CANDIDATES, this.#members.size);
    // Keys set again come up again at the end; `left` ends the loop before them.
    for (const [key, member] of this.#members) {
      if (isIdle(member.pipeline)) {
        victim = key;
        break;
      }
      this.#members.delete(key);
      this.#members.set(key, member);
      left -= 1;
      if (left === 0) break;
    }
    this.#members.delete(victim);
    this.#evicted += 1;
  }

  #force(key: string | undefined, as: Parameters<ForcePipeline>[0], forMs: number): boolean {
    const members =
      key === undefined ? [...this.#members.values()] : [this.#members.get(key)].filter(isThere);
    return members.map(({ force }) => force(as, forMs)).some(Boolean);
  }
}

/** Nobody would miss it: no call is in flight, and no circuit has anything to remember. */
function isIdle(pipeline: Pipeline): boolean {
  const { inFlight, policies } = pipeline.inspect();
  return (
    inFlight === 0 &&
    policies.every(({ circuit }) => circuit === undefined || circuit.state === 'closed')
  );
}

const isThere = <T>(value: T | undefined): value is T => value !== undefined;
