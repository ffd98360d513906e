import { type Code, ConnectError } from '@connectrpc/connect';
import { nodeHttp } from '../../server/node-http.ts';
import { ErrorInfoSchema } from '../protos/error_details_pb.ts';
import { codeOfHttp } from './rpc-status.ts';

/** Where Go's names of statuses are not Node's. */
const GO_NAMES: Readonly<Record<number, string>> = {
  413: 'Request Entity Too Large',
  414: 'Request URI Too Long',
  416: 'Requested Range Not Satisfiable',
  418: "I'm a teapot",
};

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
  const reason = GO_NAMES[status] ?? nodeHttp.STATUS_CODES[status] ?? '';
  const info = {
    reason,
    domain: 'dapr.io',
    metadata: { 'http.code': String(status), 'http.error_message': words.slice(0, MOST_WORDS) },
  };
  return new ConnectError(reason, code, metadata, [{ desc: ErrorInfoSchema, value: info }]);
}
