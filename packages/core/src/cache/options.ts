import {
  checker,
  checkFunction,
  checkInteger,
  checkName,
  checkNumber,
  checkOptions,
  checkSync,
  LONGEST_TIMER_MS,
} from '../check.ts';
import { isRefusal } from '../engine/outcome.ts';
import type { OfResult } from '../policy.ts';
import { isProgrammingError } from '../retry/retriable.ts';
import type { CacheStore } from './cache-store.ts';

export interface CacheOptions {
  /** Names this policy in events, metrics and errors. @default 'cache' */
  readonly name?: string;

  /** How long an answer is fresh: given without asking. 0: never. @default 60_000 ms (0 … 2^31 − 1) */
  readonly ttlMs?: number;

  /**
   * How long after that it is still given at once, while it is renewed in the
   * background through the policies inside (stale-while-revalidate).
   *
   * @default 0 ms (0 … 2^31 − 1)
   */
  readonly staleMs?: number;

  /**
   * How long after it was fresh it is given when the dependency, or a policy in
   * front of it, says no (stale-if-error). The answer counts as degraded.
   *
   * @default 0 ms (0 … 2^31 − 1)
   */
  readonly staleIfErrorMs?: number;

  /** For which errors. @default every error but programming errors: they would be hidden */
  readonly staleIf?: (error: unknown) => boolean;

  /**
   * Whether a result is as bad as an error (a 503): it is not kept, and the last good answer is given in
   * its place where there still is one. Where there is none, it is the answer.
   *
   * @default none is
   */
  readonly staleIfResult?: OfResult<boolean>;

  /** Whether a result is kept. @default every one, but for a fallback's */
  readonly cacheIf?: OfResult<boolean>;

  /**
   * How long an error is given again without asking (negative caching). It
   * spares a dependency calls that fail anyway, and prolongs each failure.
   *
   * @default 0 ms: not at all (0 … 2^31 − 1)
   */
  readonly errorTtlMs?: number;

  /** Which errors. @default every one but programming errors and refusals of policies inside */
  readonly cacheErrorIf?: (error: unknown) => boolean;

  /** Answers kept in memory; of more, the one asked for longest ago goes. @default 1_024 (1 … 10_000_000) */
  readonly maxEntries?: number;

  /** What they may weigh in all, by `sizeOf`. One that weighs more alone is not kept. @default no limit (1 …) */
  readonly maxBytes?: number;

  /** What an answer weighs, in bytes. Needed beside `maxBytes`. @default nothing */
  readonly sizeOf?: OfResult<number>;

  /**
   * Makes each caller's answer from the one that is kept: `structuredClone` for
   * objects that callers change, `(response: Response) => response.clone()` for a
   * `Response`, whose body can be read once.
   *
   * @default callers share the answer
   */
  readonly clone?: OfResult<unknown>;

  /** Keeps answers for other processes as well, behind those in memory. @default none */
  readonly store?: CacheStore;

  /** A store that takes longer is passed by. @default 250 ms (1 … 2^31 − 1) */
  readonly storeTimeoutMs?: number;

  /** So long a store that has failed is left alone. @default 1_000 ms (0 … 2^31 − 1) */
  readonly storePauseMs?: number;

  /** A renewal in the background that takes longer is broken off. @default 30_000 ms (1 … 2^31 − 1) */
  readonly refreshTimeoutMs?: number;

  /** Renewals in the background at a time; beyond, stale answers are given without. @default 100 (0 … 1_000_000) */
  readonly maxRefreshes?: number;
}

export interface ResolvedCacheOptions
  extends Required<Omit<CacheOptions, 'clone' | 'sizeOf' | 'store'>> {
  readonly clone: ((value: unknown) => unknown) | undefined;
  readonly sizeOf: ((value: unknown) => number) | undefined;
  readonly store: CacheStore | undefined;
}

export const CACHE_DEFAULTS = {
  name: 'cache',
  ttlMs: 60_000,
  staleMs: 0,
  staleIfErrorMs: 0,
  staleIf: (error: unknown): boolean => !isProgrammingError(error),
  staleIfResult: (_value: unknown): boolean => false,
  cacheIf: (_value: unknown): boolean => true,
  errorTtlMs: 0,
  cacheErrorIf: (error: unknown): boolean => !isProgrammingError(error) && !isRefusal(error),
  maxEntries: 1_024,
  maxBytes: Infinity,
  sizeOf: undefined,
  clone: undefined,
  store: undefined,
  storeTimeoutMs: 250,
  storePauseMs: 1_000,
  refreshTimeoutMs: 30_000,
  maxRefreshes: 100,
} as const;

const DURATIONS = ['ttlMs', 'staleMs', 'staleIfErrorMs', 'errorTtlMs', 'storePauseMs'] as const;
const METHODS = ['get', 'set', 'delete'] as const;
const PREDICATES = [
  'staleIf',
  'staleIfResult',
  'cacheIf',
  'cacheErrorIf',
  'sizeOf',
  'clone',
] as const;

/** Fills in defaults and rejects nonsense now, while the stack still points at its author. */
export function resolveCacheOptions(given: CacheOptions): ResolvedCacheOptions {
  const options = checkOptions('cache', given, CACHE_DEFAULTS);
  const check = checker('cache', options);
  check(checkName, 'name');
  for (const name of DURATIONS) check(checkNumber, name, 0, LONGEST_TIMER_MS);
  for (const name of PREDICATES) check(checkSync, name);
  check(checkInteger, 'maxEntries', 1, 10_000_000);
  check(checkNumber, 'maxBytes', 1, Infinity);
  check(checkNumber, 'storeTimeoutMs', 1, LONGEST_TIMER_MS);
  check(checkNumber, 'refreshTimeoutMs', 1, LONGEST_TIMER_MS);
  check(checkInteger, 'maxRefreshes', 0, 1_000_000);
  if (options.maxBytes < Infinity && options.sizeOf === undefined) {
    throw new TypeError('cache.sizeOf must be a function beside maxBytes, not undefined.');
  }
  if (options.store !== undefined) {
    for (const method of METHODS) {
      checkFunction(`cache.store.${method}`, options.store?.[method] ?? null);
    }
    checkFunction('cache.store.clear', options.store.clear);
  }
  return options;
}
