/// <reference lib="esnext.disposable" preserve="true" />
import { checkInteger, checkName, checkNumber, checkOptions, checkString } from '../check.ts';
import { type Clock, systemClock } from '../clock.ts';
import { ENV, type Env } from '../env.ts';
import {
  type FamilyPipeline,
  type Pipeline,
  type PipelineSnapshot,
  pipelineFor,
} from '../pipeline.ts';
import type { CallFunction, ExecuteOptions, Policy } from '../policy.ts';
import { type ForcePipeline, registry as processRegistry } from '../registry.ts';
import { isIdle, isSpent } from './nothing-to-lose.ts';

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

  /**
   * A key that has not been called for so long is forgotten, and begins anew when
   * it is used again; one with a call in flight, or with a circuit that still
   * refuses, is not. No timer watches: each call looks at two keys at most, and
   * without calls nothing is freed. Make it longer than every window and rate of
   * the policies, for these are forgotten as well.
   *
   * @default Infinity: only `maxKeys` limits them (1 ms …)
   */
  readonly idleMs?: number;
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
  /** The live state of every key; forgets first those that nobody has called for `idleMs`. */
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
  /** Keys that nobody had called for `idleMs`, since it was made. */
  readonly forgotten: number;
  /** By key, the one used longest ago first. */
  readonly keys: Readonly<Record<string, PipelineSnapshot>>;
}

/**
 * How many keys are looked at for one that nobody would miss. Those that are in
 * use count as used again, so that the next search begins behind them.
 */
const CANDIDATES = 1_000;

/** Keys that one call looks at, so that more go than come where many are spent. */
const LOOKS = 2;

/**
 * So many keys used last, up to twice as many, keep what makes their next call
 * quick: with a hundred thousand of them that would weigh more than their circuits.
 */
const AWAKE = 1_000;

interface Member {
  readonly pipeline: FamilyPipeline;
  /** Clock time of its last use; kept only where `idleMs` asks for it. */
  usedMs: number;
  /** The turn of its last use. */
  turn: number;
}

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
  checkOptions('keyedPipeline', env, { ...ENV, idleMs: 0, maxKeys: 0 });
  const { idleMs = Infinity, maxKeys = 1_000, ...rest } = env;
  checkName('keyedPipeline.name', name);
  checkInteger('keyedPipeline.maxKeys', maxKeys, 1, 1_000_000);
  checkNumber('keyedPipeline.idleMs', idleMs, 1, Infinity);
  const family = new Family(name, policies, rest, { idleMs, maxKeys });
  // A list that cannot stand together is found now, not at the first call.
  if (typeof policies !== 'function') family.check(policies);
  return family;
}

class Family implements KeyedPipeline {
  readonly name: string;
  readonly #env: Partial<Env>;
  readonly #clock: Clock;
  readonly #limits: Required<KeyedPipelineOptions>;
  readonly #unlist: () => void;
  /** In the order in which they were used: a Map keeps that of insertion. */
  readonly #members = new Map<string, Member>();
  /** Those used in this turn and the one before; a turn ends when so many have come. */
  #awake: Member[] = [];
  #drowsy: Member[] = [];
  #turn = 0;
  #policies: KeyedPolicies;
  #evicted = 0;
  #forgotten = 0;

  constructor(
    name: string,
    policies: KeyedPolicies,
    env: Partial<Env>,
    limits: Required<KeyedPipelineOptions>,
  ) {
    this.name = name;
    this.#policies = policies;
    this.#env = env;
    this.#clock = env.clock ?? systemClock;
    this.#limits = limits;
    const registry = 'registry' in env ? env.registry : processRegistry;
    this.#unlist =
      registry?.addFamily(this, (key, as, forMs) => this.#force(key, as, forMs)) ?? (() => {});
  }

  execute<T>(fn: CallFunction<T>, options: KeyedExecuteOptions<T>): Promise<T> {
    if (typeof options?.key !== 'string') {
      const rule = `execute.key must be a string in the keyed pipeline "${this.name}"`;
      return Promise.reject(new TypeError(`${rule}, not ${String(options?.key)}.`));
    }
    let member: Pipeline;
    try {
      member = this.for(options.key);
    } catch (error) {
      // A function that makes the policies of a key may throw, or make none.
      return Promise.reject(error);
    }
    return member.execute(fn, options);
  }

  for(key: string): Pipeline {
    checkString('for.key', key);
    const nowMs = this.#nowMs();
    const known = this.#members.get(key);
    if (known !== undefined && !this.#forget(key, known, nowMs)) {
      this.#use(key, known, nowMs);
      this.#wake(known);
      this.#sweep(LOOKS, nowMs);
      return known.pipeline;
    }
    this.#sweep(LOOKS, nowMs);
    const pipeline = pipelineFor(this.name, listFrom(this.#policies)(key), this.#env, key);
    // Not before: where there is none for this key, nobody has to go.
    if (this.#members.size >= this.#limits.maxKeys) this.#evict();
    const member: Member = { pipeline, usedMs: nowMs, turn: -1 };
    this.#members.set(key, member);
    this.#wake(member);
    return pipeline;
  }

  swap(policies: KeyedPolicies): void {
    const listOf = listFrom(policies);
    // All of it, or nothing: a list that cannot be must not leave some keys with the new policies.
    if (typeof policies !== 'function') this.check(policies);
    const lists = Array.from(
      this.#members,
      ([key, { pipeline }]) => [pipeline, listOf(key)] as const,
    );
    if (typeof policies === 'function') for (const [, list] of lists) this.check(list);
    this.#policies = policies;
    for (const [pipeline, list] of lists) pipeline.swap(list);
  }

  inspect(): KeyedSnapshot {
    this.#sweep(this.#members.size, this.#nowMs());
    const keys = Object.fromEntries(
      Array.from(this.#members, ([key, { pipeline }]) => [key, pipeline.inspect()]),
    );
    const { maxKeys } = this.#limits;
    return {
      name: this.name,
      maxKeys,
      evicted: this.#evicted,
      forgotten: this.#forgotten,
      keys,
    };
  }

  check(policies: readonly Policy[]): void {
    pipelineFor(this.name, policies, this.#env, '');
  }

  [Symbol.dispose](): void {
    this.#unlist();
  }

  /** Reading the clock costs: only who forgets by time needs it. */
  #nowMs(): number {
    return this.#limits.idleMs === Infinity ? 0 : this.#clock.now();
  }

  #use(key: string, member: Member, nowMs: number): void {
    member.usedMs = nowMs;
    this.#members.delete(key);
    this.#members.set(key, member);
  }

  /** Whoever has not been used for a whole turn rests. */
  #wake(member: Member): void {
    if (member.turn === this.#turn) return;
    member.turn = this.#turn;
    this.#awake.push(member);
    if (this.#awake.length < AWAKE) return;
    for (const each of this.#drowsy) if (each.turn !== this.#turn) each.pipeline.rest();
    this.#drowsy = this.#awake;
    this.#awake = [];
    this.#turn += 1;
  }

  /** Forgets of the keys used longest ago those that are spent; those in use count as used again. */
  #sweep(looks: number, nowMs: number): void {
    let left = looks;
    for (const [key, member] of this.#members) {
      if (left === 0 || nowMs - member.usedMs < this.#limits.idleMs) return;
      left -= 1;
      if (!this.#forget(key, member, nowMs)) this.#use(key, member, nowMs);
    }
  }

  /** Whether it was spent, and is gone. */
  #forget(key: string, { pipeline, usedMs }: Member, nowMs: number): boolean {
    if (nowMs - usedMs < this.#limits.idleMs || !isSpent(pipeline.inspect())) return false;
    this.#members.delete(key);
    pipeline.rest();
    this.#forgotten += 1;
    return true;
  }

  #evict(): void {
    const [oldest] = this.#members.keys();
    let victim = oldest!;
    let left = Math.min(CANDIDATES, this.#members.size);
    // Keys set again come up again at the end; `left` ends the loop before them.
    for (const [key, member] of this.#members) {
      if (isIdle(member.pipeline.inspect())) {
        victim = key;
        break;
      }
      this.#use(key, member, this.#nowMs());
      left -= 1;
      if (left === 0) break;
    }
    this.#members.get(victim)?.pipeline.rest();
    this.#members.delete(victim);
    this.#evicted += 1;
  }

  #force(key: string | undefined, as: Parameters<ForcePipeline>[0], forMs: number): boolean {
    const members =
      key === undefined ? [...this.#members.values()] : [this.#members.get(key)].filter(isThere);
    return members.map(({ pipeline }) => pipeline.force(as, forMs)).some(Boolean);
  }
}

const listFrom = (policies: KeyedPolicies): ((key: string) => readonly Policy[]) =>
  typeof policies === 'function' ? policies : () => policies;

const isThere = <T>(value: T | undefined): value is T => value !== undefined;
