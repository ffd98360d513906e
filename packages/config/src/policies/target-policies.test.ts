import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { pipeline } from '@holdfast/core';
import { record, seededRandom, VirtualClock } from '@holdfast/core/testing';
import { parseResiliency } from '../parse/parse-resiliency.ts';
import { mergeDocuments } from './merge-documents.ts';
import { resiliencyPolicies } from './resiliency-policies.ts';
import { type StatusOf, targetPolicies } from './target-policies.ts';

/** What an attempt does: answers with a status, fails with or without one, or hangs. */
type Act = number | 'refused' | 'hangs' | { readonly code: number };

describe('the policies of a target', () => {
  test('are deadline, retry, circuit breaker, bulkhead, timeout, under the names of the file', async () => {
    const text = await readFile(new URL('../../fixtures/good/ours.yaml', import.meta.url), 'utf8');
    const merged = mergeDocuments(parseResiliency(text, 'ours.yaml').documents);
    const ours = resiliencyPolicies(merged, merged.policies, merged.targets).forApp('payments');
    const shown = (target: typeof ours) =>
      target.policies(statusOf, 'http').map(({ kind, name }) => `${kind} ${name}`);
    assert.deepEqual(shown(ours), [
      'deadline total',
      'retry quick',
      'bulkhead ten',
      'timeout attempt',
    ]);
    const breaker = read(
      'timeouts: { t: 1s }\ncircuitBreakers: { c: }\nretries: { r: }',
      'retry: r, circuitBreaker: c, timeout: t',
    );
    assert.deepEqual(shown(breaker), ['retry r', 'circuitBreaker c', 'timeout t']);
    assert.deepEqual(shown(read('timeouts: { t: 0 }', 'timeout: t')), [], '0 is no timeout');
  });

  test('may share a name across kinds, as the maps of the file are separate', async () => {
    const policies =
      'timeouts: { general: 1s }\nretries: { general: { duration: 1s } }\ncircuitBreakers: { general: }';
    const names = 'timeout: general, retry: general, circuitBreaker: general';
    assert.deepEqual(await play(policies, names, [500, 200]), { calls: 2, took: 1_000, got: 200 });
  });

  test('retry whatever fails where matching says nothing: any status, time-outs, broken connections', async () => {
    const policies = 'timeouts: { t: 50 }\nretries: { r: { duration: 1s, maxRetries: 2 } }';
    const run = (...acts: Act[]) => play(policies, 'timeout: t, retry: r', acts);
    assert.deepEqual(await run(404, 503, 200), { calls: 3, took: 2_000, got: 200 });
    assert.deepEqual(await run('refused', 'hangs', 500), { calls: 3, took: 2_050, got: 500 });
    assert.deepEqual(await run('hangs', 'hangs', 'hangs'), {
      calls: 3,
      took: 2_150,
      got: 'TIMED_OUT',
    });
    assert.deepEqual(await run(301), { calls: 1, took: 0, got: 301 });
    assert.deepEqual(await run(199, 200), { calls: 2, took: 1_000, got: 200 });
  });

  test('retry by matching where there is a status; an error without one cannot be excluded', async () => {
    const policies =
      'retries: { r: { duration: 1s, maxRetries: 2, matching: { httpStatusCodes: 500-599, gRPCStatusCodes: 14 } } }';
    const run = (...acts: Act[]) => play(policies, 'retry: r', acts);
    assert.deepEqual(await run(404, 200), { calls: 1, took: 0, got: 404 });
    assert.deepEqual(await run(500, 500, 404), { calls: 3, took: 2_000, got: 404 });
    assert.deepEqual(await run('refused', 'refused', 'refused'), {
      calls: 3,
      took: 2_000,
      got: 'ECONNREFUSED',
    });
    assert.deepEqual(await run({ code: 14 }, { code: 5 }, 200), { calls: 2, took: 1_000, got: 5 });
  });

  test('an open circuit ends the retrying at once and is asked no more', async () => {
    const policies =
      'retries: { r: { duration: 1s, maxRetries: 2 } }\ncircuitBreakers: { c: { trip: consecutiveFailures > 1 } }';
    const clock = new VirtualClock();
    const target = pipeline(
      'p',
      read(policies, 'retry: r, circuitBreaker: c').policies(statusOf, 'http'),
      { clock },
    );
    let calls = 0;
    const call = () =>
      clock.run(() =>
        target
          .execute(async () => {
            calls += 1;
            return 500;
          })
          .catch((error) => error.code),
      );
    assert.deepEqual([await call(), calls, clock.now()], ['CIRCUIT_OPEN', 2, 2_000]);
    assert.deepEqual([await call(), calls, clock.now()], ['CIRCUIT_OPEN', 2, 2_000]);
  });

  test('a 4xx is a failure to the breaker, whatever matching says; 3xx is a success', async () => {
    const policies =
      'retries: { r: { maxRetries: 0, matching: { httpStatusCodes: "500" } } }\ncircuitBreakers: { c: { trip: consecutiveFailures >= 2 } }';
    const seen = await playEach(policies, 'retry: r, circuitBreaker: c', [
      404,
      304,
      404,
      'refused',
      200,
    ]);
    assert.deepEqual(seen, [404, 304, 404, 'ECONNREFUSED', 'CIRCUIT_OPEN']);
  });

  test('the trip sees the counts of Dapr, after failures only', async () => {
    const policies = 'circuitBreakers: { c: { trip: requests > 4, timeout: 1s } }';
    const seen = await playEach(policies, 'circuitBreaker: c', [200, 200, 200, 200, 200, 500, 200]);
    assert.deepEqual(seen, [200, 200, 200, 200, 200, 500, 'CIRCUIT_OPEN']);
    const ratio =
      'circuitBreakers: { c: { trip: requests >= 4 && double(totalFailures) / double(requests) >= 0.5 } }';
    const mixed = await playEach(ratio, 'circuitBreaker: c', [500, 200, 500, 200, 500, 200]);
    assert.deepEqual(mixed, [500, 200, 500, 200, 500, 'CIRCUIT_OPEN']);
  });

  test('a result of gRPC is a success where it is 0', async () => {
    const policies = 'retries: { r: { duration: 1s, maxRetries: 1 } }';
    assert.deepEqual(await play(policies, 'retry: r', [14, 0], 'grpc'), {
      calls: 2,
      took: 1_000,
      got: 0,
    });
    assert.deepEqual(await play(policies, 'retry: r', [0], 'grpc'), { calls: 1, took: 0, got: 0 });
  });
});

describe('exponential retries', () => {
  test('wait half to one and a half times the interval, which grows by half up to the cap', async () => {
    const delays = await delaysOf('policy: exponential, maxInterval: 2s, maxRetries: 40');
    assert.equal(delays.length, 40);
    const intervals = delays.map((_, retry) => Math.min(500 * 1.5 ** retry, 2_000));
    const ratios = delays.map((delay, retry) => delay / intervals[retry]!);
    assert.ok(
      ratios.every((ratio) => ratio >= 0.5 && ratio <= 1.5),
      String(ratios),
    );
    // The cap holds before the chance: waits beyond it occur.
    assert.ok(
      delays.some((delay) => delay > 2_000),
      'no wait went over the cap',
    );
    assert.ok(Math.min(...ratios) < 0.7 && Math.max(...ratios) > 1.3, 'the chance is ± 50 %');
  });

  test('end after 15 minutes in all, also where they are unlimited', async () => {
    const delays = await delaysOf('policy: exponential');
    const total = delays.reduce((sum, delay) => sum + delay, 0);
    assert.ok(total <= 900_000 && total > 900_000 - 90_000, `${total} ms`);
  });

  test('wait no longer than the cap where it is below the first interval', async () => {
    const delays = await delaysOf(
      'policy: exponential, maxInterval: 100ms, maxRetries: 5, jitter: none',
    );
    assert.deepEqual(delays, [100, 100, 100, 100, 100]);
  });
});

test('constant retries wait the same each time, without chance and without end', async () => {
  assert.deepEqual(
    await delaysOf('duration: 10m, maxRetries: 4'),
    [600_000, 600_000, 600_000, 600_000],
  );
});

describe('what Holdfast adds', () => {
  test('statuses outside `matching` of a breaker are successes', async () => {
    const policies =
      'circuitBreakers: { c: { trip: consecutiveFailures >= 2, matching: { httpStatusCodes: 500-599 } } }';
    const acts: Act[] = [404, 404, { code: 409 }, { code: 409 }, 500, 500, 200];
    assert.deepEqual(await playEach(policies, 'circuitBreaker: c', acts), [
      404,
      404,
      409,
      409,
      500,
      500,
      'CIRCUIT_OPEN',
    ]);
  });

  test('a budget ends the retrying of calls that exceed it', async () => {
    const policies =
      'retries: { r: { duration: 1ms, maxRetries: 3, budget: { ratio: 0, minPerSecond: 0.2, window: 10s } } }';
    assert.deepEqual(await play(policies, 'retry: r', [500, 500, 500]), {
      calls: 3,
      took: 0,
      got: 500,
    });
  });

  test('a rate limit refuses what goes beyond it', async () => {
    const policies = 'rateLimits: { two: { limit: 2, interval: 1m } }';
    const seen = await playEach(policies, 'rateLimit: two', [200, 200, 200]);
    assert.deepEqual(seen, [200, 200, 'RATE_LIMITED']);
  });

  test('a hedge is sent when an attempt takes long, and wins where it answers first', async () => {
    const policies = 'hedges: { h: { delay: 50ms } }';
    assert.deepEqual(await play(policies, 'hedge: h', ['hangs', 200]), {
      calls: 2,
      took: 50,
      got: 200,
    });
  });

  test('policies are in the order of the layers, and state of the whole target apart where there is a circuit', () => {
    const all = read(
      `timeouts: { t: 1s }
deadlines: { d: 5s }
retries: { r: }
circuitBreakers: { c: }
bulkheads: { b: { maxConcurrent: 1 } }
rateLimits: { l: { limit: 1 } }
hedges: { h: }`,
      'timeout: t, deadline: d, retry: r, circuitBreaker: c, bulkhead: b, rateLimit: l, hedge: h',
    );
    const layers = (whole: boolean) =>
      all
        .layers({ statusOf, protocol: 'http', whole })
        .map(({ kind, policies }) => `${kind}: ${policies.map((each) => each.name).join(' ')}`);
    assert.deepEqual(layers(true), ['attempts: d l r c b t', 'hedges: h']);
    assert.deepEqual(layers(false), [
      'call: d',
      'rate: l',
      'attempts: r c',
      'gate: b',
      'attempt: t',
      'hedges: h',
    ]);
  });

  test('a method has what it names, and the rest from its app; none takes away', () => {
    const app = read(
      'timeouts: { t: 1s, u: 2s }\nretries: { r: }\nrateLimits: { l: { limit: 1 } }',
      'timeout: t, retry: r, rateLimit: l, methods: { "POST /pay": { retry: none, timeout: u }, "/**": { rateLimit: l } }',
    );
    assert.deepEqual(
      app.methods.map(({ name, policies, sharesRate, sharesBulkhead }) => [
        name,
        policies.timeoutMs,
        policies.retry?.name,
        policies.rateLimit?.name,
        sharesRate,
        sharesBulkhead,
      ]),
      [
        ['POST /pay', 2_000, undefined, 'l', true, true],
        ['/**', 1_000, 'r', 'l', false, true],
      ],
    );
  });
});

test('the limits of a target are there as numbers too', () => {
  const { timeoutMs, deadlineMs, listed } = targetPolicies({
    listed: true,
    circuitCacheSize: 1,
    timeout: { name: 't', limitMs: 5 },
    deadline: { name: 'd', limitMs: 0 },
  });
  assert.deepEqual(
    { timeoutMs, deadlineMs, listed },
    { timeoutMs: 5, deadlineMs: undefined, listed: true },
  );
});

const statusOf: StatusOf = ({ value, error }) => {
  if (typeof value === 'number') return value;
  return (error as { status?: number } | undefined)?.status;
};

/** The policies of app `a`, of `spec.policies` and what the target names. */
function read(policies: string, names: string) {
  const text = `kind: Resiliency\nspec:\n  targets: { apps: { a: { ${names} } } }\n  policies:\n${policies.replaceAll(/^/gm, '    ')}`;
  const { documents, problems } = parseResiliency(text, 'file.yaml');
  assert.deepEqual(
    problems.filter(({ severity }) => severity === 'error'),
    [],
  );
  const merged = mergeDocuments(documents);
  return resiliencyPolicies(merged, merged.policies, merged.targets).forApp('a');
}

const act = (what: Act): Promise<number> => {
  if (typeof what === 'number') return Promise.resolve(what);
  if (what === 'hangs') return new Promise(() => {});
  const error =
    what === 'refused' ? { code: 'ECONNREFUSED' } : { status: what.code, code: what.code };
  return Promise.reject(Object.assign(new Error('failed'), error));
};

const outcome = (error: { code?: unknown }) => error.code;

/** One call, whose attempts do `acts` in turn. */
async function play(
  policies: string,
  names: string,
  acts: readonly Act[],
  protocol: 'http' | 'grpc' = 'http',
) {
  const clock = new VirtualClock();
  const target = pipeline('p', read(policies, names).policies(statusOf, protocol), { clock });
  let calls = 0;
  const got = await clock.run(() =>
    target.execute(() => act(acts[calls++] ?? assert.fail('one attempt too many'))).catch(outcome),
  );
  return { calls, took: Math.round(clock.now() / 10) * 10, got };
}

/** One call after the other, each doing one of `acts`. */
async function playEach(policies: string, names: string, acts: readonly Act[]) {
  const clock = new VirtualClock();
  const target = pipeline('p', read(policies, names).policies(statusOf, 'http'), { clock });
  const seen: unknown[] = [];
  for (const what of acts)
    seen.push(await clock.run(() => target.execute(() => act(what)).catch(outcome)));
  return seen;
}

/** The waits between the attempts of a call that always fails. */
async function delaysOf(fields: string): Promise<number[]> {
  const clock = new VirtualClock();
  const { listener, events } = record();
  const policies = read(`retries: { r: { ${fields} } }`, 'retry: r').policies(statusOf, 'http');
  const target = pipeline('p', policies, { clock, random: seededRandom(7), report: listener });
  await clock.run(() => target.execute(() => act('refused')).catch(outcome));
  return events.flatMap((event) => (event.type === 'retry' ? [event.delayMs] : []));
}
