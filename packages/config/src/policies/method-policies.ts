import type { PolicyNames, Reference } from '../parse/resiliency-document.ts';

/** Takes a policy of the app away from a method, unless a policy is called so. */
export const NONE = 'none';

const FIELDS = [
  'timeout',
  'retry',
  'circuitBreaker',
  'bulkhead',
  'deadline',
  'rateLimit',
  'hedge',
  'cache',
  'fallback',
] as const satisfies readonly (keyof PolicyNames)[];

export function isNone({ name }: Reference, defined: { has(name: string): boolean }): boolean {
  return name === NONE && !defined.has(NONE);
}

/** What a method has: what it names, and of its app's what it does not name. */
export function inherit(app: PolicyNames, method: PolicyNames): PolicyNames {
  const names: Record<string, Reference> = {};
  for (const field of FIELDS) {
    const reference = method[field] ?? app[field];
    if (reference !== undefined) names[field] = reference;
  }
  return names;
}
