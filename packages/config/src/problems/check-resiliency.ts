import type {
  BreakerRule,
  PolicyNames,
  ResiliencyDocument,
  RetryRule,
  TimeoutRule,
} from '../parse/resiliency-document.ts';
import { type Merged, mergeDocuments } from '../policies/merge-documents.ts';
import { inherit } from '../policies/method-policies.ts';
import { checkReferences, type Use, usesOf } from './check-references.ts';
import type { Problem } from './problem.ts';
import { problemAt } from './report.ts';

/**
 * What only all documents together show: names that nothing defines, policies
 * that nobody uses, numbers that do not fit each other. Pure, as `parseResiliency`.
 */
export function checkResiliency(documents: readonly ResiliencyDocument[]): Problem[] {
  const merged = mergeDocuments(documents);
  return [...merged.problems, ...checkMerged(merged)];
}

export function checkMerged(merged: Merged): Problem[] {
  const uses = usesOf(merged);
  return [
    ...checkReferences(merged, uses),
    ...uses.flatMap((use) => checkUse(merged, use)),
    ...checkRetries(merged),
    ...checkListed(merged),
    ...checkComponents(merged),
  ];
}

/** The policies that a use really gets. */
function policiesOf({ policies }: Merged, use: Use) {
  const names = namesOf(use);
  const find = <Rule>(rules: ReadonlyMap<string, Rule>, name: string | undefined) =>
    name === undefined ? undefined : rules.get(name);
  const timeout: TimeoutRule | undefined = find(policies.timeouts, names.timeout?.name);
  const retry: RetryRule | undefined = find(policies.retries, names.retry?.name);
  const breaker: BreakerRule | undefined = find(
    policies.circuitBreakers,
    names.circuitBreaker?.name,
  );
  const deadline: TimeoutRule | undefined = find(policies.deadlines, names.deadline?.name);
  return { timeout, retry, breaker, deadline };
}

function checkUse(merged: Merged, use: Use): Problem[] {
  const { timeout, retry, breaker, deadline } = policiesOf(merged, use);
  // Whatever is in it, the whole call ends with it.
  const endless = (deadline?.limitMs ?? 0) === 0;
  const problems: Problem[] = [];
  const names = namesOf(use);
  if (endless && Object.values(use.names).some(isReference) && names.timeout === undefined) {
    const message = `${use.path} has no timeout: a call that hangs is never given up`;
    problems.push(problemAt(use.at, 'no-timeout', message));
  }
  if (endless && retry?.maxRetries === Number.POSITIVE_INFINITY && breaker === undefined) {
    const how = retry.backoff === 'exponential' ? 'for 15 minutes' : 'without end';
    const message = `${use.path} retries ${how}: retries.${retry.name} has no maxRetries, and there is no circuit breaker`;
    problems.push(problemAt(names.retry!.at, 'endless-retries', message));
  }
  const interval = breaker?.clearIntervalMs ?? 0;
  const limit = timeout?.limitMs ?? 0;
  if (breaker !== undefined && interval > 0 && limit >= interval) {
    const message = `${use.path} forgets failures every ${interval} ms (circuitBreakers.${breaker.name}.interval) and an attempt may take ${limit} ms`;
    problems.push(problemAt(names.circuitBreaker!.at, 'interval-too-short', message));
  }
  return problems;
}

/** What it names, and what it has from its app. */
function namesOf({ names, inherited }: Use): PolicyNames {
  return inherited === undefined ? names : inherit(inherited, names);
}

const isReference = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && 'name' in value && 'at' in value;

function checkRetries({ policies }: Merged): Problem[] {
  const problems: Problem[] = [];
  for (const { name, at, maxRetries, maxDelayMs } of policies.retries.values()) {
    if (at === undefined || maxRetries === 0 || maxDelayMs > 0) continue;
    const message = `retries.${name} retries without waiting`;
    problems.push(problemAt(at, 'no-wait', message));
  }
  return problems;
}

/** Targets that are listed with nothing, where there are defaults for them to lose. */
function checkListed(merged: Merged): Problem[] {
  const { policies, targets } = merged;
  const names = [policies.timeouts, policies.retries, policies.circuitBreakers];
  const hasDefaults = (kind: string) =>
    names.some((rules) =>
      [...rules.keys()].some((name) => /^Default.*Policy$/.test(name) && belongs(name, kind)),
    );
  const problems: Problem[] = [];
  for (const [section, kind] of [
    ['apps', 'App'],
    ['actors', 'Actor'],
    ['components', 'Component'],
  ] as const) {
    if (!hasDefaults(kind)) continue;
    for (const target of targets[section].values()) {
      const named = 'inbound' in target ? { ...target.inbound, ...target.outbound } : target;
      if (target.at === undefined || Object.values(named).some(isReference)) continue;
      const message = `${section}.${target.name} is listed without policies, which turns the default policies off for it`;
      problems.push(problemAt(target.at, 'defaults-off', message));
    }
  }
  return problems;
}

/** `DefaultRetryPolicy` belongs to all; `DefaultAppRetryPolicy` to apps. */
function belongs(name: string, kind: string): boolean {
  return name.includes(kind) || /^Default(Retry|Timeout|CircuitBreaker)Policy$/.test(name);
}

function checkComponents({ policies, targets }: Merged): Problem[] {
  const problems: Problem[] = [];
  for (const { name, inbound, outbound } of targets.components.values()) {
    const [into, out] = [inbound.circuitBreaker, outbound.circuitBreaker];
    if (into === undefined || out === undefined || into.name === out.name) continue;
    if (!policies.circuitBreakers.has(into.name) || !policies.circuitBreakers.has(out.name))
      continue;
    const message = `components.${name} names ${into.name} inbound and ${out.name} outbound, and has one circuit for both`;
    problems.push(problemAt(into.at, 'shared-circuit', message));
  }
  return problems;
}
