import { BUDGET, BULKHEAD, CACHE, FALLBACK, HEDGE, RATE_LIMIT } from './own-vocabulary.ts';

/**
 * Every key of a Resiliency: what it is, whose it is, and which option of
 * `@holdfast/core` it becomes. The parser, the JSON Schema and KEYS.md all read this,
 * so that they cannot disagree.
 */
export interface Field {
  readonly kind:
    | 'text'
    | 'duration'
    | 'integer'
    | 'number'
    | 'jitter'
    | 'name'
    | 'object'
    | 'map'
    | 'list';
  /** What it means, in one sentence, for an editor to show. */
  readonly about: string;
  /** Dapr does not know it: it ignores the key and loads the file. */
  readonly ours?: true;
  /** What holds when it is left out. */
  readonly byDefault?: string;
  /** The option of `@holdfast/core` that it sets. */
  readonly option?: string;
  /** Of a duration in milliseconds. */
  readonly min?: number;
  readonly max?: number;
  readonly values?: readonly string[];
  /** `values` in any letter case. */
  readonly anyCase?: true;
  /** The fields of an `object`, or of each entry of a `map`. A map without has plain values. */
  readonly fields?: Readonly<Record<string, Field>>;
  /** What each plain entry of a `map` or `list` is. */
  readonly each?: Field;
}

const name = (of: string, option?: string): Field => ({
  kind: 'name',
  about: `Name of an entry of policies.${of}.`,
  ...(option === undefined ? {} : { option }),
});

export const MATCHING = {
  httpStatusCodes: {
    kind: 'text',
    about: 'HTTP statuses that are retried: codes and first-last, comma-separated, no spaces.',
    byDefault: 'all',
    option: 'retry.retryIfResult',
  },
  gRPCStatusCodes: {
    kind: 'text',
    about: 'gRPC statuses that are retried: codes and first-last, comma-separated, no spaces.',
    byDefault: 'all',
    option: 'retry.retryIf',
  },
} as const satisfies Record<string, Field>;

export const RETRY = {
  policy: {
    kind: 'text',
    about: 'How the wait grows.',
    byDefault: 'constant',
    values: ['constant', 'exponential'],
    anyCase: true,
    option: 'retry.backoff',
  },
  duration: {
    kind: 'duration',
    about: 'Wait before each retry; constant only.',
    byDefault: '5s',
    option: 'retry.delayMs',
  },
  maxInterval: {
    kind: 'duration',
    about: 'Longest wait, before jitter; exponential only.',
    byDefault: '60s',
    option: 'retry.maxDelayMs',
  },
  maxRetries: {
    kind: 'integer',
    about: 'Retries after the first attempt: -1 is unlimited, 0 is none.',
    byDefault: '-1',
    option: 'retry.maxRetries',
  },
  matching: { kind: 'object', about: 'Which statuses are retried.', fields: MATCHING },
  jitter: {
    kind: 'jitter',
    ours: true,
    about: 'How chance changes the wait: none, full, equal, or a ratio from 0 to 1 (0.5 is ±50 %).',
    byDefault: '0.5 for exponential, none for constant',
    option: 'retry.jitter',
  },
  initialInterval: {
    kind: 'duration',
    ours: true,
    about: 'Wait before the first retry; exponential only.',
    byDefault: '500ms',
    option: 'retry.delayMs',
  },
  budget: {
    kind: 'object',
    ours: true,
    about: 'Share of calls that may be retries, of each target for itself.',
    byDefault: 'no limit',
    option: 'retry.budget',
    fields: BUDGET,
  },
} as const satisfies Record<string, Field>;

export const BREAKER_MATCHING = {
  httpStatusCodes: {
    kind: 'text',
    ours: true,
    about: 'HTTP statuses that count: 500-599 leaves out what the caller did wrong.',
    byDefault: 'all from 400 on, and below 200',
  },
  gRPCStatusCodes: {
    kind: 'text',
    ours: true,
    about: 'gRPC statuses that count.',
    byDefault: 'all but 0',
  },
} as const satisfies Record<string, Field>;

export const CIRCUIT_BREAKER = {
  maxRequests: {
    kind: 'integer',
    about: 'Calls let through while half-open, all of which must succeed; 0 is 1.',
    byDefault: '1',
    min: 0,
    max: 2 ** 32 - 1,
    option: 'circuitBreaker.halfOpenPermits, .successThreshold',
  },
  interval: {
    kind: 'duration',
    about: 'How often the counts are cleared while closed; 0 is never.',
    byDefault: '0s',
    option: 'circuitBreaker.clearIntervalMs',
  },
  timeout: {
    kind: 'duration',
    about: 'How long it stays open before it lets a probe through.',
    byDefault: '60s',
    option: 'circuitBreaker.openMs',
  },
  trip: {
    kind: 'text',
    about:
      'CEL over requests, totalSuccesses, totalFailures, consecutiveSuccesses and consecutiveFailures; asked after each failure.',
    byDefault: 'consecutiveFailures > 5',
    option: 'circuitBreaker.trip',
  },
  matching: {
    kind: 'object',
    ours: true,
    about: 'Which statuses count as failures; the others are successes.',
    option: 'circuitBreaker.failureIfResult',
    fields: BREAKER_MATCHING,
  },
} as const satisfies Record<string, Field>;

export const POLICIES = {
  timeouts: {
    kind: 'map',
    about: 'Time limits of one attempt, by name.',
    each: { kind: 'duration', about: '0 is no limit.', option: 'timeout.limitMs' },
  },
  retries: { kind: 'map', about: 'Retries, by name.', fields: RETRY },
  circuitBreakers: { kind: 'map', about: 'Circuit breakers, by name.', fields: CIRCUIT_BREAKER },
  bulkheads: {
    kind: 'map',
    ours: true,
    about: 'Limits of concurrency, by name.',
    fields: BULKHEAD,
  },
  deadlines: {
    kind: 'map',
    ours: true,
    about: 'Time limits of a whole call with its retries and waits, by name.',
    each: { kind: 'duration', ours: true, about: '0 is no limit.', option: 'deadline.limitMs' },
  },
  rateLimits: {
    kind: 'map',
    ours: true,
    about: 'Limits of calls per second, by name.',
    fields: RATE_LIMIT,
  },
  hedges: {
    kind: 'map',
    ours: true,
    about: 'Second attempts sent before the first has answered, by name.',
    fields: HEDGE,
  },
  caches: { kind: 'map', ours: true, about: 'Kept answers to GET, by name.', fields: CACHE },
  fallbacks: {
    kind: 'map',
    ours: true,
    about: 'Answers in place of a failure, by name.',
    fields: FALLBACK,
  },
} as const satisfies Record<string, Field>;

const POLICY_NAMES = {
  timeout: name('timeouts'),
  retry: name('retries'),
  circuitBreaker: name('circuitBreakers'),
} as const satisfies Record<string, Field>;

/** Policies of ours that any target can name. */
const OWN_NAMES = {
  bulkhead: { ...name('bulkheads'), ours: true },
  deadline: { ...name('deadlines'), ours: true },
  rateLimit: { ...name('rateLimits'), ours: true },
} as const satisfies Record<string, Field>;

/** Policies of ours that need a request of HTTP. */
const HTTP_NAMES = {
  hedge: { ...name('hedges'), ours: true },
  cache: { ...name('caches'), ours: true },
  fallback: { ...name('fallbacks'), ours: true },
} as const satisfies Record<string, Field>;

const ours = (field: Field): Field => ({ ...field, ours: true });

/** An entry of `methods`; what it does not name it has from its app. */
export const METHOD_TARGET = {
  timeout: ours(POLICY_NAMES.timeout),
  retry: ours(POLICY_NAMES.retry),
  circuitBreaker: ours(POLICY_NAMES.circuitBreaker),
  ...OWN_NAMES,
  ...HTTP_NAMES,
} as const satisfies Record<string, Field>;

const DIRECTION = { ...POLICY_NAMES, ...OWN_NAMES } as const satisfies Record<string, Field>;

export const APP_TARGET = {
  ...POLICY_NAMES,
  circuitBreakerCacheSize: {
    kind: 'integer',
    about: 'Circuits kept for this app, one per method; the least used is forgotten.',
    byDefault: '100',
    min: 0,
    max: 1_000_000,
  },
  ...OWN_NAMES,
  ...HTTP_NAMES,
  methods: {
    kind: 'map',
    ours: true,
    about:
      'Policies of single methods, by path with or without a verb: `GET /orders/*`. `*` is one segment, a last `**` all that follow; the most exact one counts. What it does not name it has from the app; `none` takes a policy away.',
    fields: METHOD_TARGET,
  },
} as const satisfies Record<string, Field>;

export const ACTOR_TARGET = {
  ...POLICY_NAMES,
  circuitBreakerScope: {
    kind: 'text',
    about: 'Whether the actors of a type share a circuit; needed where a circuitBreaker is named.',
    values: ['type', 'id', 'both'],
  },
  circuitBreakerCacheSize: {
    kind: 'integer',
    about: 'Circuits kept for this actor type; the least used is forgotten.',
    byDefault: '5000',
    min: 0,
    max: 1_000_000,
  },
} as const satisfies Record<string, Field>;

export const COMPONENT_TARGET = {
  outbound: {
    kind: 'object',
    about: 'Calls from the app to the component.',
    fields: DIRECTION,
  },
  inbound: {
    kind: 'object',
    about: 'Calls from the component to the app.',
    fields: DIRECTION,
  },
} as const satisfies Record<string, Field>;

export const TARGETS = {
  apps: { kind: 'map', about: 'Apps that are called, by app id.', fields: APP_TARGET },
  actors: { kind: 'map', about: 'Actors that are called, by type.', fields: ACTOR_TARGET },
  components: { kind: 'map', about: 'Components, by name.', fields: COMPONENT_TARGET },
} as const satisfies Record<string, Field>;

export const SPEC = {
  policies: { kind: 'object', about: 'What can be done.', fields: POLICIES },
  targets: { kind: 'object', about: 'To whom it is done.', fields: TARGETS },
} as const satisfies Record<string, Field>;

export const RESILIENCY = {
  apiVersion: { kind: 'text', about: 'dapr.io/v1alpha1.', values: ['dapr.io/v1alpha1'] },
  kind: { kind: 'text', about: 'Resiliency.', values: ['Resiliency'] },
  metadata: { kind: 'object', about: 'name and namespace; both become labels of the metrics.' },
  version: { kind: 'text', about: 'v1alpha1, as Dapr documents it; nothing comes of it.' },
  scopes: {
    kind: 'list',
    about: 'App ids of the callers that use these policies.',
    byDefault: 'all apps',
    each: { kind: 'text', about: 'An app id.' },
  },
  spec: { kind: 'object', about: 'Policies, and the targets that use them.', fields: SPEC },
} as const satisfies Record<string, Field>;

/** The names of a table's fields. */
export type FieldsOf<Table> = Extract<keyof Table, string>;
