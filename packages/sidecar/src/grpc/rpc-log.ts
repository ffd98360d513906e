import type { Logger } from '@holdfast/telemetry/log';
import type { ApiLogging } from '../resources/api-logging.ts';
import { logIds, type Span } from '../trace/tracing.ts';

/** Writes a line for a call that has ended, where there is one to be. */
export type LogRpc = (
  method: string,
  code: number,
  ms: number,
  useragent: string | null,
  span: Span | undefined,
) => void;

/** Lines of calls of the gRPC API and of those passed on, in daprd's words, whatever `--log-level` says. */
export function rpcLog(log: Logger, settings: () => ApiLogging): LogRpc {
  const lines = log.child({ scope: 'dapr.runtime.grpc.api-info' }, 'info');
  return (method, code, ms, useragent, span) => {
    if (!settings().enabled) return;
    lines.info('gRPC API Called', {
      method,
      code,
      duration: Math.floor(ms),
      ...(useragent === null ? {} : { useragent }),
      ...logIds(span),
    });
  };
}
