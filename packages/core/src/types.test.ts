// Nothing runs here that could fail: `tsc` reads it, and an error that is expected and does not come is one.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { adaptiveLimit } from './adaptive-limit/adaptive-limit.ts';
import { circuitBreaker } from './breaker/breaker.ts';
import { cache } from './cache/cache.ts';
import type { PolicyEvent } from './events.ts';
import { fallback } from './fallback/fallback.ts';
import { hedge } from './hedge/hedge.ts';
import { keyedPipeline } from './keyed/keyed-pipeline.ts';
import { pipeline } from './pipeline.ts';
import type { Call } from './policy.ts';
import { retry } from './retry/retry.ts';
import { throttle } from './throttle/throttle.ts';

type Same<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const same = <_Check extends true>() => {};

const p = pipeline('types', [retry()], { registry: undefined });

export function inference(): void {
  const number = p.execute(async () => 5);
  same<Same<typeof number, Promise<number>>>();
  const plain = p.execute(() => 'text' as const);
  same<Same<typeof plain, Promise<'text'>>>();
  void p.execute((call) => {
    same<Same<typeof call, Call>>();
    same<Same<typeof call.signal, AbortSignal>>();
    return 1;
  });
  void p.execute(async () => ({ body: 'x' }), {
    discard(late) {
      same<Same<typeof late, { body: string }>>();
    },
  });

  const wrapped = p.wrap(async (id: string, count?: number) => ({ id, count }));
  same<
    Same<
      typeof wrapped,
      (id: string, count?: number) => Promise<{ id: string; count: number | undefined }>
    >
  >();
  const withCall = p.wrapCall((call: Call, id: string) => `${call.attempt} ${id}`);
  same<Same<typeof withCall, (this: unknown, id: string) => Promise<string>>>();

  const handedOn = (signal?: AbortSignal, deadlineMs?: number) =>
    p.execute(() => 1, { signal, deadlineMs });
  same<Same<ReturnType<typeof handedOn>, Promise<number>>>();

  // @ts-expect-error a number is no id
  void wrapped(5);
  // @ts-expect-error a keyed call needs a key
  void keyedPipeline('k', []).execute(() => 1, {});
  // @ts-expect-error no such criticality
  void p.execute(() => 1, { criticality: 'very' });
  // @ts-expect-error an option that is not there
  retry({ retries: 3 });
  // @ts-expect-error exactly: undefined is no number
  retry({ delayMs: undefined });
  // @ts-expect-error one spread or the other
  retry({ jitter: { ratio: 0.5, addedMs: 100 } });
}

export function wrapping(): void {
  const plain = p.wrap((id: string) => id.length);
  same<Same<typeof plain, (this: unknown, id: string) => Promise<number>>>();

  const generic = p.wrap(async <T>(value: T) => [value]);
  same<Same<typeof generic, <T>(value: T) => Promise<T[]>>>();

  const ofThis = p.wrap(async function (this: { each: number }, count: number) {
    return this.each * count;
  });
  same<Same<typeof ofThis, (this: { each: number }, count: number) => Promise<number>>>();
  // @ts-expect-error it needs its `this`
  void ofThis(2);

  function read(path: string): Promise<Uint8Array>;
  function read(path: string, encoding: 'utf8'): Promise<string>;
  async function read(path: string, encoding?: 'utf8'): Promise<unknown> {
    return encoding === undefined ? new Uint8Array() : path;
  }
  const overloaded = p.wrap(read);
  same<Same<typeof overloaded, typeof read>>();
  const bytes = overloaded('file');
  same<Same<typeof bytes, Promise<Uint8Array>>>();
  const text = overloaded('file', 'utf8');
  same<Same<typeof text, Promise<string>>>();
  // @ts-expect-error neither overload takes that
  void overloaded('file', 'utf16');

  // What is not a plain promise, or more than a function, is not what the wrapped one gives.
  class Query extends Promise<number> {
    cancel(): void {}
  }
  const query = p.wrap((_sql: string) => new Query(() => {}));
  same<Same<typeof query, (this: unknown, _sql: string) => Promise<number>>>();
  const counting = Object.assign(async (_id: string) => 1, { calls: 0 });
  const counted = p.wrap(counting);
  same<Same<typeof counted, (this: unknown, _id: string) => Promise<number>>>();
  const thenable = p.wrap((): PromiseLike<number> => Promise.resolve(1));
  same<Same<typeof thenable, (this: unknown) => Promise<number>>>();

  const withThis = p.wrapCall(function (this: { each: number }, call: Call, count: number) {
    return this.each * count * call.attempt;
  });
  same<Same<typeof withThis, (this: { each: number }, count: number) => Promise<number>>>();
  // @ts-expect-error what is wrapped is a function
  p.wrap(5);
  // @ts-expect-error a call comes first
  p.wrapCall((id: string) => id);
}

interface Answer {
  readonly status: number;
}

/** Predicates of results may say which results they know; those of errors are told nothing that nobody knows. */
export function predicates(): void {
  const isBad = (answer: Answer) => answer.status >= 500;
  retry({ retryIfResult: isBad });
  circuitBreaker({ failureIfResult: isBad });
  hedge({ failureIfResult: isBad });
  throttle({ refusedIfResult: isBad });
  adaptiveLimit({ dropIfResult: isBad });
  fallback({ fallbackIfResult: isBad, steps: [() => 'default'] });
  cache({ staleIfResult: isBad });
  cache({
    cacheIf: (answer: Answer) => answer.status === 200,
    sizeOf: (text: string) => text.length,
  });
  cache({ clone: (response: Response) => response.clone() });
  retry({
    retryIfResult(value) {
      same<Same<typeof value, unknown>>();
      return value === null;
    },
    retryIf(error) {
      same<Same<typeof error, unknown>>();
      return true;
    },
    delayHint({ error, value }) {
      same<Same<typeof error, unknown>>();
      same<Same<typeof value, unknown>>();
      return 5;
    },
    backoff: (retries, { previousMs }) => {
      same<Same<typeof retries, number>>();
      return previousMs;
    },
  });
  circuitBreaker({ trip: ({ totalFailures }) => totalFailures > 3 });
  // @ts-expect-error an error can be anything
  retry({ retryIf: (error: Error) => error.message === 'busy' });
  // @ts-expect-error a predicate says yes or no
  retry({ retryIfResult: (answer: Answer) => answer.status });
  // @ts-expect-error what answers later is always true
  fallback({ fallbackIfResult: async (answer: Answer) => answer.status > 499, steps: [] });
  // @ts-expect-error bytes are a number
  cache({ sizeOf: (text: string) => text });
  // @ts-expect-error a delay is a number
  retry({ backoff: () => '5' });
}

/** A fallback answers in place of any call: what it gives is not looked at, and the call's type is the function's. */
export function fallbacks(): void {
  const steps = fallback({
    steps: [
      (error, call) => {
        same<Same<typeof error, unknown>>();
        same<Same<typeof call, Call>>();
        return 'default';
      },
      { kind: 'cached', answer: async () => 5, answerIf: (error) => error === 'busy' },
    ],
  });
  const answered = pipeline('fallbacks', [steps]).execute(async () => 5 as const, {
    onDegraded({ kind, error }) {
      same<Same<typeof kind, 'cached' | 'default' | 'replica' | 'computed'>>();
      same<Same<typeof error, unknown>>();
    },
  });
  same<Same<typeof answered, Promise<5>>>();
  // @ts-expect-error no such kind of answer
  fallback({ steps: [{ kind: 'guessed', answer: () => 5 }] });
  // @ts-expect-error a step is a function
  fallback({ steps: ['default'] });
  // @ts-expect-error without steps it could not answer
  fallback({});
}

/** A `switch` over the type without a default is complete: a new event makes this an error. */
export function exhaustive(event: PolicyEvent): string {
  switch (event.type) {
    case 'call':
    case 'attempt':
    case 'late-result':
      return event.outcome;
    case 'retry':
      return String(event.delayMs);
    case 'retry-stopped':
      return event.why;
    case 'timeout':
      return String(event.limitMs);
    case 'circuit':
      return event.to;
    case 'circuit-observed':
      return event.from;
    case 'would-refuse':
    case 'refused':
      return event.code;
    case 'queued':
      return String(event.waitedMs);
    case 'fallback':
      return String(event.step);
    case 'hedge':
      return String(event.afterMs);
    case 'budget-exhausted':
      return event.budget;
    case 'cache':
      return event.result;
    case 'limit':
      return String(event.to);
    case 'fault':
      return event.fault;
    case 'store-failed':
      return String(event.error);
  }
}

test('the functions that only tsc reads run as well', () => {
  assert.equal(
    exhaustive({ type: 'hedge', pipeline: 'p', policy: 'h', call: 1, attempt: 2, afterMs: 5 }),
    '5',
  );
});
