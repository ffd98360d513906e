import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { parseResiliency } from './parse-resiliency.ts';
import type { ResiliencyDocument } from './resiliency-document.ts';

describe('parseResiliency', () => {
  test('reads a file with two policies of one app', async () => {
    const document = await readFixture('good/one-app.yaml');
    assert.deepEqual(plain(document.policies), {
      timeouts: {},
      retries: {
        retryApi: {
          backoff: 'constant',
          delayMs: 5_000,
          maxRetries: 3,
          jitter: 'none',
          maxElapsedMs: Infinity,
        },
      },
      circuitBreakers: {
        cbApi: { permits: 1, clearIntervalMs: 0, openMs: 30_000, trip: 'consecutiveFailures >= 5' },
      },
      ...NOTHING_OURS,
    });
    assert.deepEqual(plain(document.targets), {
      apps: {
        'target-app': { retry: 'retryApi', circuitBreaker: 'cbApi', circuitCacheSize: 100 },
      },
      actors: {},
      components: {},
    });
  });

  test('reads every field of Dapr', async () => {
    const document = await readFixture('good/complete.yaml');
    const { name, namespace, scopes } = document;
    assert.deepEqual(
      { name, namespace, scopes },
      {
        name: 'complete',
        namespace: 'shop',
        scopes: ['checkout', 'basket'],
      },
    );
    assert.deepEqual(plain(document.policies), {
      timeouts: {
        general: { limitMs: 5_000 },
        short: { limitMs: 250 },
        mixed: { limitMs: 90_000 },
        off: { limitMs: 0 },
      },
      retries: {
        constantly: {
          backoff: 'constant',
          delayMs: 2_000,
          maxRetries: 10,
          jitter: 'none',
          maxElapsedMs: Infinity,
        },
        growing: { ...EXPONENTIAL, maxDelayMs: 15_000, maxRetries: 8 },
        never: {
          backoff: 'constant',
          delayMs: 5_000,
          maxRetries: 0,
          jitter: 'none',
          maxElapsedMs: Infinity,
        },
      },
      circuitBreakers: {
        consecutive: {
          permits: 3,
          clearIntervalMs: 8_000,
          openMs: 45_000,
          trip: 'consecutiveFailures > 8',
        },
        ratio: {
          permits: 1,
          clearIntervalMs: 0,
          openMs: 10_000,
          trip: 'requests > 10 && double(totalFailures) / double(requests) > 0.5',
        },
      },
      ...NOTHING_OURS,
    });
    assert.deepEqual(plain(document.targets), {
      apps: {
        appB: {
          timeout: 'general',
          retry: 'constantly',
          circuitBreaker: 'ratio',
          circuitCacheSize: 10,
        },
        appC: { timeout: 'off', retry: 'never', circuitCacheSize: 100 },
      },
      actors: {
        Cart: {
          timeout: 'mixed',
          retry: 'growing',
          circuitBreaker: 'ratio',
          circuitCacheSize: 50,
          circuitScope: 'id',
        },
      },
      components: {
        statestore: {
          inbound: { timeout: 'short', retry: 'never', circuitBreaker: 'consecutive' },
          outbound: { timeout: 'short', retry: 'growing', circuitBreaker: 'consecutive' },
        },
      },
    });
  });

  test('an empty retry is constant, 5 s and unlimited; an empty breaker trips at the sixth failure', () => {
    const { policies } = read(
      'retries: { a: {}, b: , c: { policy: exponential } }\ncircuitBreakers: { d: }',
    );
    const constant = {
      backoff: 'constant',
      delayMs: 5_000,
      jitter: 'none',
      maxElapsedMs: Infinity,
    };
    assert.deepEqual(plain(policies).retries, {
      a: { ...constant, maxRetries: Infinity },
      b: { ...constant, maxRetries: Infinity },
      c: { ...EXPONENTIAL, maxDelayMs: 60_000, maxRetries: Infinity },
    });
    assert.deepEqual(plain(policies).circuitBreakers, {
      d: { permits: 1, clearIntervalMs: 0, openMs: 60_000, trip: 'consecutiveFailures > 5' },
    });
  });

  test('reads what Holdfast adds', async () => {
    const { policies, targets } = await readFixture('good/ours.yaml');
    assert.deepEqual(plain(policies), {
      timeouts: { attempt: { limitMs: 800 } },
      retries: {
        quick: { ...EXPONENTIAL, delayMs: 100, maxDelayMs: 2_000, maxRetries: 4, jitter: 'full' },
        steady: {
          backoff: 'constant',
          delayMs: 1_000,
          maxRetries: 2,
          jitter: { ratio: 0.25 },
          maxElapsedMs: Infinity,
          budget: { ratio: 0.1, minPerSecond: 1.5, windowMs: 5_000 },
        },
      },
      circuitBreakers: {
        server: { permits: 1, clearIntervalMs: 0, openMs: 60_000, trip: 'consecutiveFailures > 5' },
      },
      bulkheads: { ten: { options: { limit: 10, queueLimit: 20, queueTimeoutMs: 500 } } },
      deadlines: { total: { limitMs: 5_000 } },
      rateLimits: {
        gently: { options: { limit: 100, intervalMs: 60_000, burst: 5, maxWaitMs: 50 } },
      },
      hedges: {
        late: { options: { quantile: { quantile: 0.9 }, maxHedges: 2 }, budget: { ratio: 0.05 } },
        fixed: { options: { delayMs: 30 } },
      },
      caches: {
        briefly: {
          options: {
            ttlMs: 10_000,
            staleMs: 5_000,
            staleIfErrorMs: 3_600_000,
            maxEntries: 10,
            maxBytes: 65_536,
          },
        },
      },
      fallbacks: {
        empty: { status: 200, body: '[]', headers: ['content-type', 'application/json'] },
        sorry: { status: 503, body: '', headers: ['content-type', 'text/plain'] },
      },
    });
    const { empty, sorry } = Object.fromEntries(policies.fallbacks);
    assert.deepEqual(
      [404, 429, 500].map((status) => [empty!.matches(status), sorry!.matches(status)]),
      [
        [false, false],
        [false, true],
        [true, true],
      ],
    );
    assert.deepEqual(plain(targets).apps, {
      payments: {
        timeout: 'attempt',
        retry: 'quick',
        bulkhead: 'ten',
        deadline: 'total',
        circuitCacheSize: 100,
      },
      search: {
        timeout: 'attempt',
        retry: 'steady',
        circuitBreaker: 'server',
        rateLimit: 'gently',
        hedge: 'fixed',
        cache: 'briefly',
        fallback: 'empty',
        circuitCacheSize: 100,
        methods: [
          {
            pattern: { verb: 'GET', segments: ['items', 'new'] },
            names: { hedge: 'late' },
          },
          { pattern: { verb: 'POST', segments: ['items', '*'] }, names: { retry: 'none' } },
          {
            pattern: { verb: undefined, segments: ['items', '*'] },
            names: { fallback: 'sorry' },
          },
          { pattern: { verb: undefined, segments: ['**'] }, names: { timeout: 'attempt' } },
        ],
      },
    });
    assert.deepEqual(
      [404, 503].map((status) => policies.circuitBreakers.get('server')?.counts?.(status)),
      [false, true],
    );
  });

  test('follows anchors and merges', async () => {
    const { policies, targets } = await readFixture('good/anchors.yaml');
    assert.deepEqual(plain(policies).retries, {
      base: { ...EXPONENTIAL, maxDelayMs: 60_000, maxRetries: 3 },
      longer: { ...EXPONENTIAL, maxDelayMs: 2_000, maxRetries: 6 },
    });
    const limit = { timeout: 'DefaultTimeoutPolicy', circuitCacheSize: 100 };
    assert.deepEqual(plain(targets).apps, {
      a: { ...limit, retry: 'base' },
      b: { ...limit, retry: 'base' },
      c: { ...limit, retry: 'longer' },
    });
  });

  test('scalars of other types are read as Go spells them', () => {
    const { policies } = read(
      'retries: { r: { matching: { httpStatusCodes: 429, gRPCStatusCodes: 14 } } }\ntimeouts: { 7: 0x10, true: 1e3 }\ncircuitBreakers: { c: { trip: true } }',
    );
    const matches = policies.retries.get('r')!.matches;
    assert.deepEqual([14, 13, 429, 500].map(matches), [true, false, true, false]);
    assert.deepEqual(plain(policies).timeouts, { 7: { limitMs: 16 }, true: { limitMs: 1_000 } });
    assert.equal(policies.circuitBreakers.get('c')?.trip.text, 'true');
  });

  test('other kinds, CRLF and a byte order mark are nothing to it', async () => {
    const other = await readFile(new URL('good/other-kind.yaml', fixtures), 'utf8');
    assert.deepEqual(parseResiliency(other, 'f'), { documents: [], problems: [] });
    const broken = 'kind: Component\nspec: {{ template }}\n';
    assert.deepEqual(parseResiliency(broken, 'f').documents, []);
    assert.deepEqual(parseResiliency(broken, 'f').problems, []);
    const text = await readFile(new URL('good/one-app.yaml', fixtures), 'utf8');
    const windows = parseResiliency(`\ufeff${text.replaceAll('\n', '\r\n')}`, 'f');
    assert.deepEqual(windows.problems, []);
    assert.deepEqual(plain(windows.documents[0]!.policies).retries, {
      retryApi: {
        backoff: 'constant',
        delayMs: 5_000,
        maxRetries: 3,
        jitter: 'none',
        maxElapsedMs: Infinity,
      },
    });
  });
});

const fixtures = new URL('../../fixtures/', import.meta.url);

const NOTHING_OURS = {
  bulkheads: {},
  deadlines: {},
  rateLimits: {},
  hedges: {},
  caches: {},
  fallbacks: {},
};

const EXPONENTIAL = {
  backoff: 'exponential',
  delayMs: 500,
  factor: 1.5,
  jitter: { ratio: 0.5 },
  maxElapsedMs: 900_000,
};

async function readFixture(name: string): Promise<ResiliencyDocument> {
  const { documents, problems } = parseResiliency(
    await readFile(new URL(name, fixtures), 'utf8'),
    name,
  );
  // A bare number is Dapr's, and read as Dapr does.
  assert.deepEqual(
    problems.map(({ rule }) => rule),
    name === 'good/complete.yaml' ? ['bare-duration'] : [],
  );
  return documents[0]!;
}

/** Reads policies, given without the document around them. */
function read(policies: string): ResiliencyDocument {
  const head =
    'apiVersion: dapr.io/v1alpha1\nkind: Resiliency\nmetadata: { name: n }\nspec:\n  policies:\n';
  const { documents } = parseResiliency(head + policies.replaceAll(/^/gm, '    '), 'file.yaml');
  return documents[0]!;
}

/** Maps as objects; names, places and functions left out; references by their names. */
function plain(sections: object): Record<string, Record<string, object>> {
  const tidy = (value: object): object => {
    const kept = Object.entries(value).filter(([key, of]) => {
      const constant = 'backoff' in value && value.backoff === 'constant';
      const implied = constant && (key === 'factor' || key === 'maxDelayMs');
      const none = key === 'methods' && (of as unknown[]).length === 0;
      return key !== 'name' && key !== 'at' && typeof of !== 'function' && !implied && !none;
    });
    return Object.fromEntries(
      kept.map(([key, of]) => {
        if (key === 'trip') return [key, of.text];
        if (key === 'inbound' || key === 'outbound' || key === 'names') return [key, tidy(of)];
        if (key === 'methods') return [key, of.map(tidy)];
        return [key, typeof of === 'object' && Object.hasOwn(of, 'at') ? of.name : of];
      }),
    );
  };
  const entries = Object.entries(sections as Record<string, ReadonlyMap<string, object>>);
  return Object.fromEntries(
    entries.map(([name, map]) => [
      name,
      Object.fromEntries([...map].map(([key, value]) => [key, tidy(value)])),
    ]),
  );
}
