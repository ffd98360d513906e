import type { Metrics } from '../metrics/metrics.ts';

/** Dapr's `dapr_error_code_total`: errors that the API has answered, by their code. */
export interface ErrorCodeMetrics {
  /** `reason` is that of the error's details, where it has any. */
  count(code: string, reason?: string): void;
}

/** Dapr's categories, by what a code begins with. */
const CATEGORIES: Readonly<Record<string, string>> = {
  ERR_ACTOR: 'actor',
  ERR_APP_CHANNEL: 'common',
  ERR_CONFIGURATION: 'configuration',
  ERR_CONVERSATION: 'conversation',
  ERR_CRYPTO: 'crypto',
  ERR_DIRECT_INVOKE: 'service-invocation',
  ERR_HEALTH: 'health',
  ERR_INVOKE_OUTPUT_BINDING: 'binding',
  ERR_LOCK: 'lock',
  ERR_NOT_SUPPORTED_STATE: 'state',
  ERR_OUTBOUND_HEALTH: 'health',
  ERR_PERMISSION_DENIED: 'secret',
  ERR_PUBLISH_OUTBOX: 'pubsub',
  ERR_PUBSUB: 'pubsub',
  ERR_SECRET: 'secret',
  ERR_STATE: 'state',
  ERR_TOPIC: 'pubsub',
  ERR_TRY_LOCK: 'lock',
  ERR_UNLOCK: 'lock',
};

/** Registers the family. */
export function errorCodeMetrics(
  metrics: Metrics,
  { appId }: { readonly appId: string },
): ErrorCodeMetrics {
  const total = metrics.counter(
    'dapr_error_code_total',
    'Total number of times an error with a specific error code was encountered.',
    ['app_id', 'category', 'error_code'],
  );
  return {
    count: (code, reason) => total.labels(appId, categoryOf(code, reason), code).inc(),
  };
}

/** A key that a store cannot have is malformed as a body is, and yet an error of state. */
function categoryOf(code: string, reason: string | undefined): string {
  if (reason === 'DAPR_STATE_ILLEGAL_KEY') return 'state';
  const known = Object.entries(CATEGORIES).find(([prefix]) => code.startsWith(prefix));
  return known?.[1] ?? 'common';
}
