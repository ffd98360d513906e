import { RETRY_DEFAULTS } from '../parse/read-retry.ts';
import type { RetryRule } from '../parse/resiliency-document.ts';

/** The retries Dapr always has; a file may define some of them anew. */
export const BUILT_IN_RETRIES = [
  'DaprBuiltInServiceRetries',
  'DaprBuiltInActorRetries',
  'DaprBuiltInActorReminderRetries',
  'DaprBuiltInInitializationRetries',
  'DaprBuiltInActorNotFoundRetries',
] as const;

export type BuiltInRetry = (typeof BUILT_IN_RETRIES)[number];

/** The one that a file cannot define anew. */
export const PROTECTED_RETRY: BuiltInRetry = 'DaprBuiltInActorNotFoundRetries';

/** A built-in that is defined anew retries at least so often, also where it says unlimited. */
export const LEAST_BUILT_IN_RETRIES = 3;

const every = () => true;

const constant = (name: BuiltInRetry, maxRetries: number): RetryRule => ({
  name,
  at: undefined,
  backoff: 'constant',
  delayMs: 1_000,
  factor: 1,
  maxDelayMs: 1_000,
  jitter: 'none',
  maxRetries,
  maxElapsedMs: Number.POSITIVE_INFINITY,
  matches: every,
});

const exponential = (
  name: BuiltInRetry,
  maxRetries: number,
  maxDelayMs: number,
  maxElapsedMs: number,
): RetryRule => ({
  name,
  at: undefined,
  backoff: 'exponential',
  delayMs: RETRY_DEFAULTS.initialIntervalMs,
  factor: RETRY_DEFAULTS.factor,
  maxDelayMs,
  jitter: { ratio: RETRY_DEFAULTS.jitterRatio },
  maxRetries,
  maxElapsedMs,
  matches: every,
});

/** What holds where no file says otherwise. The reminders' 0 retries is Dapr's own. */
export const BUILT_IN_RULES: Readonly<Record<BuiltInRetry, RetryRule>> = {
  DaprBuiltInServiceRetries: constant('DaprBuiltInServiceRetries', 3),
  DaprBuiltInActorRetries: constant('DaprBuiltInActorRetries', 3),
  DaprBuiltInActorReminderRetries: exponential(
    'DaprBuiltInActorReminderRetries',
    0,
    RETRY_DEFAULTS.maxIntervalMs,
    RETRY_DEFAULTS.maxElapsedMs,
  ),
  DaprBuiltInInitializationRetries: exponential(
    'DaprBuiltInInitializationRetries',
    3,
    1_000,
    10_000,
  ),
  DaprBuiltInActorNotFoundRetries: constant('DaprBuiltInActorNotFoundRetries', 5),
};

export function isBuiltIn(name: string): name is BuiltInRetry {
  return (BUILT_IN_RETRIES as readonly string[]).includes(name);
}
