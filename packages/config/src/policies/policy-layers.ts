import {
  bulkhead,
  deadline,
  hedge,
  type Policy,
  type RetryBudget,
  rateLimit,
  retry,
  retryBudget,
  timeout,
} from '@holdfast/core';
import type {
  BudgetRule,
  CacheRule,
  FallbackRule,
  HedgeRule,
} from '../parse/resiliency-document.ts';
import {
  breakerPolicy,
  isFailure,
  isRetriable,
  type Protocol,
  type Resolved,
  retryOptions,
  type StatusOf,
} from './target-policies.ts';

/**
 * Policies that share their state alike, outermost first:
 *
 *     answers ▸ call ▸ rate ▸ attempts ▸ gate ▸ attempt ▸ hedges
 *
 * `answers` (fallback, cache), `call` (deadline), `rate` and `gate` (bulkhead) are
 * of the target as a whole; `attempts` (retry, circuit, and what needs no layer of
 * its own) is per method where there is a circuit; `attempt` is the time-out where
 * it must be inside a `gate`; `hedges` is for calls that may be executed twice.
 */
export type LayerKind = 'answers' | 'call' | 'rate' | 'attempts' | 'gate' | 'attempt' | 'hedges';

export interface PolicyLayer {
  readonly kind: LayerKind;
  /** Outermost first; never empty. */
  readonly policies: readonly Policy[];
}

/** What a file cannot say, and whoever uses the policies must. */
export interface Means {
  /** Makes the policy of a cache: what an answer is, and how it is kept. @default no cache */
  readonly cache?: (rule: CacheRule) => Policy;
  /** Makes the policy of a fallback: what its answer looks like. @default no fallback */
  readonly fallback?: (rule: FallbackRule) => Policy;
  /** The budget of a rule; the same one again keeps what was spent. @default a new one */
  readonly budget?: (rule: BudgetRule) => RetryBudget;
}

export interface LayerOptions {
  /** Finds the status of an attempt, by which failures and what is retried are told. */
  readonly statusOf: StatusOf;
  /** Whose statuses these are. */
  readonly protocol: Protocol;
  /** @default no cache, no fallback, budgets of their own */
  readonly means?: Means;
  /** Whether the target has one pipeline, whatever is called: then rate and gate need no layer of their own. */
  readonly whole: boolean;
}

/** The layers of a target; those with nothing in them are left out. */
export function policyLayers(found: Resolved, options: LayerOptions): readonly PolicyLayer[] {
  const { whole, means = {} } = options;
  const limit = found.deadline?.limitMs
    ? [deadline({ name: found.deadline.name, limitMs: found.deadline.limitMs })]
    : [];
  const rates = optionsOf(found.rateLimit).map((options) => rateLimit(options));
  const gates = optionsOf(found.bulkhead).map((options) => bulkhead(options));
  const attempt = found.timeout?.limitMs
    ? [timeout({ name: found.timeout.name, limitMs: found.timeout.limitMs })]
    : [];
  const budgets = budgetsOf(means);
  const attempts = attemptPolicies(found, options, budgets);
  const hedges =
    found.hedge === undefined ? [] : [hedgePolicy(found.hedge, found, options, budgets)];

  const apart = !whole && rates.length > 0;
  const split = !whole && gates.length > 0;
  const layers: PolicyLayer[] = [
    { kind: 'answers', policies: answerPolicies(found, means) },
    // The wait for a turn is part of the call, so the deadline is outside of it.
    { kind: 'call', policies: apart ? limit : [] },
    { kind: 'rate', policies: apart ? rates : [] },
    {
      kind: 'attempts',
      policies: [
        ...(apart ? [] : [...limit, ...rates]),
        ...attempts,
        ...(split ? [] : [...gates, ...attempt]),
      ],
    },
    { kind: 'gate', policies: split ? gates : [] },
    { kind: 'attempt', policies: split ? attempt : [] },
    { kind: 'hedges', policies: hedges },
  ];
  return layers.filter(({ policies }) => policies.length > 0);
}

/** The options of a rule, if there is one, with its name. */
function optionsOf<Options>(
  rule: { readonly name: string; readonly options: Options } | undefined,
): readonly (Options & { readonly name: string })[] {
  return rule === undefined ? [] : [{ ...rule.options, name: rule.name }];
}

function answerPolicies({ fallback, cache }: Resolved, means: Means): Policy[] {
  const instead = fallback === undefined ? undefined : means.fallback?.(fallback);
  const kept = cache === undefined ? undefined : means.cache?.(cache);
  return [instead, kept].filter((policy) => policy !== undefined);
}

function attemptPolicies(
  { retry: rule, circuitBreaker }: Resolved,
  { statusOf, protocol }: LayerOptions,
  budgets: (rule: BudgetRule) => RetryBudget,
): Policy[] {
  const policies: Policy[] = [];
  if (rule !== undefined) {
    const retriable = (value: unknown): boolean => {
      const status = statusOf({ value });
      return status !== undefined && isFailure(status, protocol) && rule.matches(status);
    };
    const retryIf = (error: unknown): boolean => isRetriable(error, statusOf, rule);
    const share = rule.budget === undefined ? {} : { budget: budgets(rule.budget) };
    policies.push(retry({ ...retryOptions(rule), retryIf, retryIfResult: retriable, ...share }));
  }
  if (circuitBreaker !== undefined) {
    policies.push(breakerPolicy(circuitBreaker, statusOf, protocol));
  }
  return policies;
}

function hedgePolicy(
  { name, options, budget: own }: HedgeRule,
  { retry: beside }: Resolved,
  { statusOf, protocol }: LayerOptions,
  budgets: (rule: BudgetRule) => RetryBudget,
): Policy {
  const rule = own ?? beside?.budget;
  const share = rule === undefined ? {} : { budget: budgets(rule) };
  const failureIfResult = (value: unknown): boolean => {
    const status = statusOf({ value });
    return status !== undefined && isFailure(status, protocol);
  };
  return hedge({ name, ...options, failureIfResult, ...share });
}

/** One budget for one rule, so that a hedge shares that of the retry beside it. */
function budgetsOf({ budget }: Means): (rule: BudgetRule) => RetryBudget {
  if (budget !== undefined) return budget;
  const made = new Map<BudgetRule, RetryBudget>();
  return (rule) => {
    const known = made.get(rule) ?? retryBudget(rule);
    made.set(rule, known);
    return known;
  };
}
