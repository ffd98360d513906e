import { type Code, ConnectError } from '@connectrpc/connect';
import { goStatusText } from '../../server/go-status-text.ts';
import { ErrorInfoSchema } from '../protos/error_details_pb.ts';
import { codeOfHttp } from './rpc-status.ts';

/** Dapr cuts what it repeats of an application's words to this. */
const MOST_WORDS = 63;

/** An HTTP status as Dapr shows it to a gRPC client; undefined where all went well. */
export function httpStatusError(
  status: number,
  words: string,
  metadata?: Headers,
): ConnectError | undefined {
  const code: Code | undefined = codeOfHttp(status);
  if (code === undefined) return undefined;
  const reason = goStatusText(status);
  const info = {
    reason,
    domain: 'dapr.io',
    metadata: { 'http.code': String(status), 'http.error_message': words.slice(0, MOST_WORDS) },
  };
  return new ConnectError(reason, code, metadata, [{ desc: ErrorInfoSchema, value: info }]);
}
