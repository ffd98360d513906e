import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { parseResiliency } from '../parse/parse-resiliency.ts';
import type { RetryRule } from '../parse/resiliency-document.ts';
import { BUILT_IN_RETRIES } from './built-in-retries.ts';
import { COMPONENT_TYPES } from './default-policies.ts';
import { mergeDocuments } from './merge-documents.ts';
import { type ResiliencyPolicies, resiliencyPolicies } from './resiliency-policies.ts';
import type { TargetPolicies } from './target-policies.ts';

describe('a target', () => {
  test('that is listed gets what it names and no default, also when it names nothing', () => {
    const policies = resolve(`
policies:
  timeouts: { DefaultTimeoutPolicy: 9s, general: 1s }
  retries: { DefaultAppRetryPolicy: { maxRetries: 9 }, r: { maxRetries: 1 } }
  circuitBreakers: { DefaultCircuitBreakerPolicy: { timeout: 9s }, c: { timeout: 1s } }
targets:
  apps: { full: { timeout: general, retry: r, circuitBreaker: c, circuitBreakerCacheSize: 7 }, empty: {}, part: { retry: r } }`);
    assert.deepEqual(
      ['full', 'empty', 'part', 'stranger'].map((app) => brief(policies.forApp(app))),
      [
        { listed: true, timeoutMs: 1_000, retry: 'r', circuitBreaker: 'c', circuitCacheSize: 7 },
        { listed: true, circuitCacheSize: 100 },
        { listed: true, retry: 'r', circuitCacheSize: 100 },
        {
          listed: false,
          timeoutMs: 9_000,
          retry: 'DefaultAppRetryPolicy',
          circuitBreaker: 'DefaultCircuitBreakerPolicy',
          circuitCacheSize: 100,
        },
      ],
    );
  });

  test('is looked up by its very name; names that nothing defines give nothing', () => {
    const policies = resolve(`
policies: { timeouts: { t: 1s } }
targets:
  apps: { appB.ns2: { timeout: t }, 'https://host:1': { timeout: t }, lax: { timeout: no, retry: such, circuitBreaker: policy } }
  components: { store: { outbound: { circuitBreaker: nothing, timeout: t } } }`);
    assert.deepEqual(
      ['appB.ns2', 'appB', 'https://host:1', 'lax'].map((app) => policies.forApp(app).timeoutMs),
      [1_000, undefined, 1_000, undefined],
    );
    // Dapr panics here.
    assert.deepEqual(brief(policies.forComponent('store', 'Statestore', 'outbound')), {
      listed: true,
      timeoutMs: 1_000,
      circuitCacheSize: 1,
    });
  });

  test('that is an actor has its scope; the default shares the circuit by type', () => {
    const policies = resolve(`
policies:
  retries: { DefaultActorRetryPolicy: { maxRetries: 1 } }
  circuitBreakers: { DefaultCircuitBreakerPolicy: {}, c: {} }
targets:
  actors: { Cart: { circuitBreaker: c, circuitBreakerScope: both }, Plain: {} }`);
    assert.deepEqual(
      ['Cart', 'Plain', 'Other'].map((type) => brief(policies.forActor(type))),
      [
        { listed: true, circuitBreaker: 'c', circuitScope: 'both', circuitCacheSize: 5_000 },
        { listed: true, circuitCacheSize: 5_000 },
        {
          listed: false,
          retry: 'DefaultActorRetryPolicy',
          circuitBreaker: 'DefaultCircuitBreakerPolicy',
          circuitScope: 'type',
          circuitCacheSize: 100,
        },
      ],
    );
  });

  test('that is a component finds the most specific default of each kind on its own', async () => {
    const policies = await fixture('good/defaults.yaml');
    const found = (type: (typeof COMPONENT_TYPES)[number], direction: 'inbound' | 'outbound') => {
      const { timeoutMs, retry, circuitBreaker } = policies.forComponent('any', type, direction);
      return [timeoutMs, retry?.name, circuitBreaker?.openMs];
    };
    assert.deepEqual(found('Statestore', 'outbound'), [
      1_000,
      'DefaultComponentRetryPolicy',
      30_000,
    ]);
    assert.deepEqual(found('Pubsub', 'outbound'), [3_000, 'DefaultComponentRetryPolicy', 30_000]);
    assert.deepEqual(found('Pubsub', 'inbound'), [
      10_000,
      'DefaultPubsubComponentInboundRetryPolicy',
      20_000,
    ]);
    for (const type of COMPONENT_TYPES) {
      if (type === 'Statestore') continue;
      assert.deepEqual(
        found(type, 'outbound'),
        [3_000, 'DefaultComponentRetryPolicy', 30_000],
        type,
      );
    }
    assert.equal(policies.forApp('any').timeoutMs, 5_000);
    assert.equal(policies.forActor('any').retry?.name, 'DefaultActorRetryPolicy');
    assert.deepEqual(brief(policies.forComponent('listed', 'Pubsub', 'inbound')), {
      listed: true,
      circuitCacheSize: 1,
    });
  });
});

describe('the built-in retries', () => {
  test('are there without any file, as Dapr has them', () => {
    const policies = resolve('policies: {}');
    const seconds = {
      backoff: 'constant',
      delayMs: 1_000,
      maxDelayMs: 1_000,
      maxElapsedMs: Infinity,
    };
    const growing = { backoff: 'exponential', delayMs: 500 };
    assert.deepEqual(
      Object.fromEntries(
        BUILT_IN_RETRIES.map((name) => [name, numbers(policies.builtInRetries(name))]),
      ),
      {
        DaprBuiltInServiceRetries: { ...seconds, maxRetries: 3 },
        DaprBuiltInActorRetries: { ...seconds, maxRetries: 3 },
        DaprBuiltInActorReminderRetries: {
          ...growing,
          maxDelayMs: 60_000,
          maxElapsedMs: 900_000,
          maxRetries: 0,
        },
        DaprBuiltInInitializationRetries: {
          ...growing,
          maxDelayMs: 1_000,
          maxElapsedMs: 10_000,
          maxRetries: 3,
        },
        DaprBuiltInActorNotFoundRetries: { ...seconds, maxRetries: 5 },
      },
    );
    assert.deepEqual(policies.names.retries, [], 'and are none of the names that a file defines');
  });

  test('defined anew retry at least three times, unlimited included; one cannot be', async () => {
    const policies = await fixture('bad/built-in.yaml');
    const retries = BUILT_IN_RETRIES.map((name) => policies.builtInRetries(name).maxRetries);
    assert.deepEqual(retries, [3, 3, 7, 3, 5]);
    const service = (await fixture('good/defaults.yaml')).builtInServiceRetries();
    assert.deepEqual([service.delayMs, service.maxRetries], [200, 5]);
  });

  test('can be named by a target', () => {
    const policies = resolve('targets: { apps: { a: { retry: DaprBuiltInActorRetries } } }');
    assert.equal(policies.forApp('a').retry?.maxRetries, 3);
  });
});

test('of several documents the last wins, name by name, and gives its own name', () => {
  const documents = [
    'policies: { timeouts: { a: 1s, b: 1s } }\ntargets: { apps: { p: { timeout: a }, q: { timeout: b } } }',
    'policies: { timeouts: { b: 2s } }\ntargets: { apps: { q: { timeout: b } } }',
  ].map((spec, index) => parse(spec, `{ name: n${index}, namespace: s${index} }`));
  const merged = mergeDocuments(documents);
  const policies = resiliencyPolicies(merged, merged.policies, merged.targets);
  assert.deepEqual([policies.name, policies.namespace], ['n1', 's1']);
  assert.deepEqual(
    ['p', 'q'].map((app) => policies.forApp(app).timeoutMs),
    [1_000, 2_000],
  );
  assert.deepEqual(
    merged.problems.map(({ rule, message }) => [rule, message]),
    [
      ['redefined', 'timeouts.b is defined in file.yaml:5:34 already; this one counts'],
      ['redefined', 'apps.q is defined in file.yaml:6:41 already; this one counts'],
    ],
  );
});

const numbers = ({ backoff, delayMs, maxDelayMs, maxElapsedMs, maxRetries }: RetryRule) => ({
  backoff,
  delayMs,
  maxDelayMs,
  maxElapsedMs,
  maxRetries,
});

function brief({
  policies: _,
  layers: __,
  methods: ___,
  retry,
  circuitBreaker,
  ...rest
}: TargetPolicies): object {
  return {
    ...rest,
    ...(retry === undefined ? {} : { retry: retry.name }),
    ...(circuitBreaker === undefined ? {} : { circuitBreaker: circuitBreaker.name }),
  };
}

function parse(spec: string, metadata = '{ name: n }') {
  const head = `apiVersion: dapr.io/v1alpha1\nkind: Resiliency\nmetadata: ${metadata}\nspec:\n`;
  return parseResiliency(head + spec.trim().replaceAll(/^/gm, '  '), 'file.yaml').documents[0]!;
}

function resolve(spec: string): ResiliencyPolicies {
  const merged = mergeDocuments([parse(spec)]);
  return resiliencyPolicies(merged, merged.policies, merged.targets);
}

async function fixture(name: string): Promise<ResiliencyPolicies> {
  const text = await readFile(new URL(`../../fixtures/${name}`, import.meta.url), 'utf8');
  const merged = mergeDocuments(parseResiliency(text, name).documents);
  return resiliencyPolicies(merged, merged.policies, merged.targets);
}
