import type { LogFields, Logger } from '@holdfast/telemetry/log';
import { withoutCredentials } from '../flow/headers/without-credentials.ts';
import { unescaped } from '../flow/unescaped.ts';
import type { ApiLogging } from '../resources/api-logging.ts';
import { logIds } from '../trace/tracing.ts';
import type { ApiCall } from './api-call.ts';
import { endpointName } from './endpoint-name.ts';

/** Writes a line for a call that has been answered, where there is one to be. */
export type LogApiCall = (call: ApiCall, status: number, ms: number, probe: boolean) => void;

/**
 * Lines of calls of the HTTP API in daprd's words, whatever `--log-level` says, as in daprd. Who was
 * turned away before the API, for want of a token or by a middleware, has none.
 */
export function apiLog(log: Logger, settings: () => ApiLogging): LogApiCall {
  const lines = log.child({ scope: 'dapr.runtime.http-info' }, 'info');
  return (call, status, ms, probe) => {
    const { enabled, obfuscateUrls, omitHealthChecks } = settings();
    if (!enabled || call.reached === undefined || (probe && omitHealthChecks)) return;
    lines.info('HTTP API Called', fieldsOf(call, status, ms, obfuscateUrls));
  };
}

/** Dapr's fields, and the trace. The query is left out: it is where secrets are. */
function fieldsOf(call: ApiCall, code: number, ms: number, obfuscate: boolean): LogFields {
  const { head, req, bytesOut, span } = call;
  const useragent = req.headers['user-agent'];
  return {
    method: obfuscate
      ? endpointName(call)
      : `${head.method} ${withoutCredentials(unescaped(head.path))}`,
    code,
    duration: Math.floor(ms),
    size: bytesOut,
    ...(useragent === undefined ? {} : { useragent }),
    ...logIds(span),
  };
}
