import type { Policy, PolicyKind } from '../policy.ts';

/** Something about the order or the numbers of a pipeline that is seldom meant. */
export interface Remark {
  /** Names the rule, for those who silence one. */
  readonly rule:
    | 'no-time-limit'
    | 'retries-multiply'
    | 'timeout-around-retry'
    | 'circuit-around-retry'
    | 'bulkhead-around-retry'
    | 'fallback-inside'
    | 'hedge-around-retry'
    | 'window-too-short'
    | 'slow-calls-unseen'
    | 'half-open-too-short'
    | 'hedge-too-late'
    | 'queue-outlasts-deadline'
    | 'retries-outlast-deadline';
  /** The policies it is about, outermost first. */
  readonly policies: readonly string[];
  /** A sentence that says what happens and what to do. */
  readonly words: string;
}

/**
 * What is seldom meant of `outer` around each policy of kind `inner`, in words about the two. Each
 * policy says this of itself: a bundle has the words of those that it uses.
 */
export function remarkOnOrder(
  rule: Remark['rule'],
  outer: Policy,
  inside: readonly Policy[],
  inner: PolicyKind,
  words: (inner: string) => string,
): readonly Remark[] {
  return inside
    .filter(({ kind }) => kind === inner)
    .map(({ name }) => ({ rule, policies: [outer.name, name], words: words(name) }));
}

/** Whoever judges outcomes sees none of what a fallback inside it answers. */
export const remarkOnFallback = (outer: Policy, inside: readonly Policy[]): readonly Remark[] =>
  remarkOnOrder(
    'fallback-inside',
    outer,
    inside,
    'fallback',
    (inner) =>
      `"${outer.name}" never sees the failures that "${inner}" answers. Put the fallback outside.`,
  );
