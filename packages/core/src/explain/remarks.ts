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

/** Pairs whose order is seldom meant: `outer` somewhere around `inner`. */
const ORDERS: readonly {
  readonly rule: Remark['rule'];
  readonly outer: PolicyKind;
  readonly inner: readonly PolicyKind[];
  readonly words: (outer: string, inner: string) => string;
}[] = [
  {
    rule: 'retries-multiply',
    outer: 'retry',
    inner: ['retry'],
    words: (outer, inner) =>
      `"${outer}" tries again what "${inner}" has tried again already, and attempts multiply. Keep one.`,
  },
  {
    rule: 'timeout-around-retry',
    outer: 'timeout',
    inner: ['retry'],
    words: (outer, inner) =>
      `"${outer}" limits all attempts of "${inner}" together and not each. Put it inside, or use a deadline for the whole.`,
  },
  {
    rule: 'circuit-around-retry',
    outer: 'circuitBreaker',
    inner: ['retry'],
    words: (outer, inner) =>
      `"${outer}" sees one failure for all attempts of "${inner}" and opens late. Put the circuit inside the retry.`,
  },
  {
    rule: 'bulkhead-around-retry',
    outer: 'bulkhead',
    inner: ['retry'],
    words: (outer, inner) =>
      `A call holds its place in "${outer}" while "${inner}" waits. Put the bulkhead inside the retry.`,
  },
  ...(['retry', 'circuitBreaker'] as const).map((outer) => ({
    rule: 'fallback-inside' as const,
    outer,
    inner: ['fallback' as const],
    words: (around: string, inner: string) =>
      `"${around}" never sees the failures that "${inner}" answers. Put the fallback outside.`,
  })),
];

/** What is seldom meant in the order of these policies, given outermost first, with the worst case of the whole. */
export function remarksOnOrder(
  policies: readonly Policy[],
  worstCaseMs: number,
): readonly Remark[] {
  const remarks: Remark[] = [];
  if (policies.length > 0 && worstCaseMs === Infinity) {
    const words =
      'Nothing limits how long a call takes. Add a timeout for each attempt, or a deadline.';
    remarks.push({ rule: 'no-time-limit', policies: [], words });
  }
  policies.forEach((outer, at) => {
    for (const inner of policies.slice(at + 1)) {
      for (const order of ORDERS) {
        if (order.outer !== outer.kind || !order.inner.includes(inner.kind)) continue;
        const words = order.words(outer.name, inner.name);
        remarks.push({ rule: order.rule, policies: [outer.name, inner.name], words });
      }
    }
  });
  return remarks;
}
