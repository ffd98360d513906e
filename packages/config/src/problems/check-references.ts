import { nearest } from '../parse/nearest.ts';
import type { PolicyNames, Reference } from '../parse/resiliency-document.ts';
import { BUILT_IN_RETRIES, isBuiltIn } from '../policies/built-in-retries.ts';
import { allDefaultNames, type DefaultKind } from '../policies/default-policies.ts';
import type { Merged } from '../policies/merge-documents.ts';
import { isNone } from '../policies/method-policies.ts';
import type { Problem } from './problem.ts';
import { type Place, PROBLEM_LIMIT, problemAt } from './report.ts';

/** A target, or one direction of a component, with the policies it names. */
export interface Use {
  /** As messages call it: `apps.target-app`, `components.store.outbound`. */
  readonly path: string;
  readonly at: Place;
  readonly names: PolicyNames;
  /** What it has besides, from the app that it is a method of. */
  readonly inherited?: PolicyNames;
}

/** Every place that names policies. */
export function usesOf({ targets }: Merged): Use[] {
  const uses: Use[] = [];
  const add = (path: string, at: Place | undefined, names: PolicyNames) => {
    if (at !== undefined) uses.push({ path, at, names });
  };
  for (const app of targets.apps.values()) {
    add(`apps.${app.name}`, app.at, app);
    for (const { name, at, names } of app.methods) {
      if (at === undefined) continue;
      uses.push({ path: `apps.${app.name}.methods."${name}"`, at, names, inherited: app });
    }
  }
  for (const actor of targets.actors.values()) add(`actors.${actor.name}`, actor.at, actor);
  for (const { name, at, inbound, outbound } of targets.components.values()) {
    add(`components.${name}.outbound`, at, outbound);
    add(`components.${name}.inbound`, at, inbound);
  }
  return uses;
}

const SECTIONS = [
  { section: 'timeouts', field: 'timeout', byDefault: 'Timeout' },
  { section: 'retries', field: 'retry', byDefault: 'Retry' },
  { section: 'circuitBreakers', field: 'circuitBreaker', byDefault: 'CircuitBreaker' },
  { section: 'bulkheads', field: 'bulkhead', byDefault: undefined },
  { section: 'deadlines', field: 'deadline', byDefault: undefined },
  { section: 'rateLimits', field: 'rateLimit', byDefault: undefined },
  { section: 'hedges', field: 'hedge', byDefault: undefined },
  { section: 'caches', field: 'cache', byDefault: undefined },
  { section: 'fallbacks', field: 'fallback', byDefault: undefined },
] as const;

/** Names that nothing defines, and definitions that nothing names. */
export function checkReferences(merged: Merged, uses: readonly Use[]): Problem[] {
  const problems: Problem[] = [];
  for (const { section, field, byDefault } of SECTIONS) {
    const defined = merged.policies[section];
    const used = new Set<string>();
    for (const use of uses) {
      const reference: Reference | undefined = use.names[field];
      if (reference === undefined) continue;
      used.add(reference.name);
      if (use.inherited !== undefined && isNone(reference, defined)) continue;
      const known =
        defined.has(reference.name) || merged.unusable.has(`${section}.${reference.name}`);
      if (known) continue;
      const message = `${use.path}.${field} names "${reference.name}", and policies.${section} has no such entry`;
      // Looking for what was meant costs more the more there is; nobody reads on after so many.
      const meant =
        problems.length < PROBLEM_LIMIT ? nearest(reference.name, defined.keys()) : undefined;
      problems.push(problemAt(reference.at, 'unknown-policy', message, meant));
    }
    const defaults = byDefault === undefined ? new Set<string>() : defaultsOf(byDefault);
    for (const { name, at } of defined.values()) {
      if (at === undefined || used.has(name) || defaults.has(name) || isBuiltIn(name)) continue;
      const message = `${section}.${name} is used by no target`;
      problems.push(problemAt(at, 'unused-policy', message, nearDefault(name, defaults)));
    }
  }
  return problems;
}

const cached = new Map<DefaultKind, Set<string>>();

function defaultsOf(kind: DefaultKind): Set<string> {
  const known = cached.get(kind) ?? allDefaultNames(kind);
  cached.set(kind, known);
  return known;
}

/** `DefaultAppRetrysPolicy` was meant to be a default, and is none. */
function nearDefault(name: string, defaults: ReadonlySet<string>): string | undefined {
  if (name.startsWith('DaprBuiltIn')) return nearest(name, BUILT_IN_RETRIES);
  return name.startsWith('Default') ? nearest(name, defaults) : undefined;
}
