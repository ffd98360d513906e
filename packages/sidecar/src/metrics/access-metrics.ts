import type { Metrics } from '@holdfast/telemetry';
import type { CountAccess } from '../access/access-gate.ts';

/** Callers whose series are kept at hand: every call of another app looks for one. */
const MOST_AT_HAND = 1_000;

/** Dapr's `dapr_runtime_acl_*`: who was let in, and whose word it was. */
export function accessMetrics(metrics: Metrics): CountAccess {
  const atHand = new Map<string, { inc(): void }>();
  return ({ allowed, by }, callerId) => {
    const { appId, namespace, trustDomain } = callerId ?? NOBODY;
    const what = allowed ? 'allowed' : 'blocked';
    const key = `${by} ${what} ${trustDomain}/${namespace}/${appId}`;
    let series = atHand.get(key);
    if (series === undefined) {
      series = metrics
        .counter(
          `dapr_runtime_acl_${by}_policy_action_${what}_total`,
          `The number of requests ${what} by the ${by} action specified in the access control policy.`,
          ['app_id', 'namespace', 'trustDomain'],
        )
        .labels(appId, namespace, trustDomain);
      if (atHand.size >= MOST_AT_HAND) atHand.clear();
      atHand.set(key, series);
    }
    series.inc();
  };
}

/** Without mTLS nobody knows. */
const NOBODY = { appId: '', namespace: '', trustDomain: '' };
