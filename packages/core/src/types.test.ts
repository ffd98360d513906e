// Nothing runs here that could fail: `tsc` reads it, and an error that is expected and does not come is one.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PolicyEvent } from './events.ts';
import { keyedPipeline } from './keyed/keyed-pipeline.ts';
import { pipeline } from './pipeline.ts';
import type { Call } from './policy.ts';
import { retry } from './retry/retry.ts';

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
      (
        this: unknown,
        id: string,
        count?: number,
      ) => Promise<{ id: string; count: number | undefined }>
    >
  >();
  const withCall = p.wrapCall((call: Call, id: string) => `${call.attempt} ${id}`);
  same<Same<typeof withCall, (this: unknown, id: string) => Promise<string>>>();

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
