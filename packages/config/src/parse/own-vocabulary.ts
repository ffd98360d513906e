import type { Field } from './vocabulary.ts';

/** The keys that Holdfast adds to a Resiliency; Dapr ignores them and loads the file. */

export const BULKHEAD = {
  maxConcurrent: {
    kind: 'integer',
    ours: true,
    about: 'Attempts in flight at a time.',
    min: 1,
    max: 1_000_000,
    option: 'bulkhead.limit',
  },
  maxQueue: {
    kind: 'integer',
    ours: true,
    about: 'Attempts that may wait for a place.',
    byDefault: '0',
    min: 0,
    max: 1_000_000,
    option: 'bulkhead.queueLimit',
  },
  queueTimeout: {
    kind: 'duration',
    ours: true,
    about: 'Longest wait for a place.',
    option: 'bulkhead.queueTimeoutMs',
  },
} as const satisfies Record<string, Field>;

export const BUDGET = {
  ratio: {
    kind: 'number',
    ours: true,
    about: 'Retries and hedges per call, on top of the floor; 0.2 is one for five calls.',
    byDefault: '0.2',
    min: 0,
    max: 10,
    option: 'retryBudget.ratio',
  },
  minPerSecond: {
    kind: 'number',
    ours: true,
    about: 'The floor: so many a second whatever the traffic.',
    byDefault: '10',
    min: 0,
    max: 1_000_000,
    option: 'retryBudget.minPerSecond',
  },
  window: {
    kind: 'duration',
    ours: true,
    about: 'How far back it counts; 100ms to 1h.',
    byDefault: '10s',
    min: 100,
    max: 3_600_000,
    option: 'retryBudget.windowMs',
  },
} as const satisfies Record<string, Field>;

export const RATE_LIMIT = {
  limit: {
    kind: 'integer',
    ours: true,
    about: 'Calls in each interval; needed.',
    min: 1,
    max: 1_000_000,
    option: 'rateLimit.limit',
  },
  interval: {
    kind: 'duration',
    ours: true,
    about: 'At most 24h.',
    byDefault: '1s',
    min: 1,
    max: 86_400_000,
    option: 'rateLimit.intervalMs',
  },
  burst: {
    kind: 'integer',
    ours: true,
    about: 'Calls that may come at once after a pause.',
    byDefault: 'limit',
    min: 1,
    max: 1_000_000,
    option: 'rateLimit.burst',
  },
  maxWait: {
    kind: 'duration',
    ours: true,
    about: 'Longest wait of a call for its turn; 0 refuses at once.',
    byDefault: '0s',
    option: 'rateLimit.maxWaitMs',
  },
} as const satisfies Record<string, Field>;

export const HEDGE = {
  delay: {
    kind: 'duration',
    ours: true,
    about: 'How long an attempt may take before another is sent beside it.',
    byDefault: 'what `quantile` says',
    option: 'hedge.delayMs',
  },
  quantile: {
    kind: 'number',
    ours: true,
    about: 'Takes the delay from the last calls: as long as this part of them took.',
    byDefault: '0.95',
    min: 0.5,
    max: 0.999,
    option: 'hedge.quantile',
  },
  maxHedges: {
    kind: 'integer',
    ours: true,
    about: 'Attempts beside the first.',
    byDefault: '1',
    min: 1,
    max: 10,
    option: 'hedge.maxHedges',
  },
  budget: {
    kind: 'object',
    ours: true,
    about: 'Share of calls that may be hedged.',
    byDefault: 'the budget of the retry beside it, if that has one',
    option: 'hedge.budget',
    fields: BUDGET,
  },
} as const satisfies Record<string, Field>;

export const CACHE = {
  ttl: {
    kind: 'duration',
    ours: true,
    about: 'How long an answer is given without asking.',
    byDefault: '60s',
    option: 'cache.ttlMs',
  },
  stale: {
    kind: 'duration',
    ours: true,
    about: 'How long after that it is given at once, and renewed in the background.',
    byDefault: '0s',
    option: 'cache.staleMs',
  },
  staleIfError: {
    kind: 'duration',
    ours: true,
    about: 'How long after `ttl` it is given in place of a failure, as degraded.',
    byDefault: '0s',
    option: 'cache.staleIfErrorMs',
  },
  maxEntries: {
    kind: 'integer',
    ours: true,
    about: 'Answers kept.',
    byDefault: '1024',
    min: 1,
    max: 1_000_000,
    option: 'cache.maxEntries',
  },
  maxBytes: {
    kind: 'integer',
    ours: true,
    about: 'Bytes of all answers kept; an answer over a sixteenth of it is not kept.',
    byDefault: '16777216',
    min: 1_024,
    max: 2 ** 31 - 1,
    option: 'cache.maxBytes',
  },
} as const satisfies Record<string, Field>;

export const FALLBACK = {
  status: {
    kind: 'integer',
    ours: true,
    about: 'HTTP status of the answer.',
    byDefault: '200',
    min: 200,
    max: 599,
  },
  body: { kind: 'text', ours: true, about: 'Body of the answer.', byDefault: 'empty' },
  headers: {
    kind: 'map',
    ours: true,
    about: 'Headers of the answer.',
    byDefault: 'content-type: text/plain',
    each: { kind: 'text', ours: true, about: 'The value of the header.' },
  },
  httpStatusCodes: {
    kind: 'text',
    ours: true,
    about:
      'Statuses of the app that it stands in for: codes and first-last, comma-separated, no spaces. Refusals, time-outs and broken connections always count.',
    byDefault: '500-599',
    option: 'fallback.fallbackIf',
  },
} as const satisfies Record<string, Field>;
