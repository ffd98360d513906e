import type {
  PolicySet,
  ResiliencyDocument,
  RetryRule,
  TargetSet,
} from '../parse/resiliency-document.ts';
import type { Problem } from '../problems/problem.ts';
import { type Place, problemAt } from '../problems/report.ts';
import {
  BUILT_IN_RULES,
  isBuiltIn,
  LEAST_BUILT_IN_RETRIES,
  PROTECTED_RETRY,
} from './built-in-retries.ts';

export interface Merged {
  /** Of the document read last. */
  readonly name: string;
  readonly namespace: string;
  /** The built-in retries included. */
  readonly policies: PolicySet;
  readonly targets: TargetSet;
  readonly unusable: ReadonlySet<string>;
  readonly problems: readonly Problem[];
}

/** Makes one of several documents, in the order they were read: of equal names the last counts. */
export function mergeDocuments(documents: readonly ResiliencyDocument[]): Merged {
  const problems: Problem[] = [];

  const merge = <Rule extends { readonly at: Place | undefined }>(
    section: string,
    of: (document: ResiliencyDocument) => ReadonlyMap<string, Rule>,
    into = new Map<string, Rule>(),
  ): Map<string, Rule> => {
    for (const document of documents) {
      for (const [name, rule] of of(document)) {
        const before = into.get(name)?.at;
        if (before !== undefined && rule.at !== undefined) {
          const where = `${before.file}:${before.line}:${before.column}`;
          const message = `${section}.${name} is defined in ${where} already; this one counts`;
          problems.push(problemAt(rule.at, 'redefined', message));
        }
        into.set(name, rule);
      }
    }
    return into;
  };

  const builtIn = new Map<string, RetryRule>(Object.entries(BUILT_IN_RULES));
  const retries = merge('retries', (document) => document.policies.retries, builtIn);
  for (const [name, rule] of retries) retries.set(name, asBuiltIn(rule, problems));

  const last = documents.at(-1);
  return {
    name: last?.name ?? '',
    namespace: last?.namespace ?? '',
    policies: {
      timeouts: merge('timeouts', (document) => document.policies.timeouts),
      retries,
      circuitBreakers: merge('circuitBreakers', (document) => document.policies.circuitBreakers),
      bulkheads: merge('bulkheads', (document) => document.policies.bulkheads),
      deadlines: merge('deadlines', (document) => document.policies.deadlines),
      rateLimits: merge('rateLimits', (document) => document.policies.rateLimits),
      hedges: merge('hedges', (document) => document.policies.hedges),
      caches: merge('caches', (document) => document.policies.caches),
      fallbacks: merge('fallbacks', (document) => document.policies.fallbacks),
    },
    targets: {
      apps: merge('apps', (document) => document.targets.apps),
      actors: merge('actors', (document) => document.targets.actors),
      components: merge('components', (document) => document.targets.components),
    },
    unusable: new Set(documents.flatMap((document) => [...document.unusable])),
    problems,
  };
}

/** What Dapr makes of a retry that has the name of a built-in one. */
function asBuiltIn(rule: RetryRule, problems: Problem[]): RetryRule {
  if (rule.at === undefined || !isBuiltIn(rule.name)) return rule;
  if (rule.name === PROTECTED_RETRY) {
    const message = `retries.${rule.name} is protected; what is written here has no effect`;
    problems.push(problemAt(rule.at, 'built-in-protected', message));
    return BUILT_IN_RULES[rule.name];
  }
  // Unlimited is -1 to Dapr, which is below 3 as well.
  const unlimited = rule.maxRetries === Number.POSITIVE_INFINITY;
  if (!unlimited && rule.maxRetries >= LEAST_BUILT_IN_RETRIES) return rule;
  const says = unlimited ? 'unlimited' : String(rule.maxRetries);
  const message = `retries.${rule.name} is built in, and its maxRetries (${says}) becomes ${LEAST_BUILT_IN_RETRIES}`;
  problems.push(problemAt(rule.at, 'built-in-raised', message));
  return { ...rule, maxRetries: LEAST_BUILT_IN_RETRIES };
}
