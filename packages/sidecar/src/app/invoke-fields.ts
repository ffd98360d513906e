import type { OutgoingCall } from '../flow/answer.ts';
import { unescaped } from '../flow/unescaped.ts';
import { HTTPExtension_Verb as Verb } from '../grpc/protos/common_pb.ts';
import { RPC_TYPE_URL, rpcMethodOf } from './rpc-answer.ts';

const NAMES = Object.fromEntries(Object.entries(Verb).map(([name, verb]) => [verb, name]));

/** The verb that a call is made with; of a client of the gRPC API that does not speak of HTTP, `NONE`. */
export const verbName = (verb: Verb): string => NAMES[verb] ?? 'NONE';

/** Undefined for a verb that Dapr has no number for. */
export const verbNumber = (name: string): Verb | undefined =>
  (Verb as Readonly<Record<string, Verb>>)[name];

/** What an `InvokeRequest` says of a call, but for its data. */
export function invokeFields({ path, headers }: OutgoingCall, verb: Verb) {
  const mark = path.indexOf('?');
  const name = (mark === -1 ? path : path.slice(0, mark)).slice(1);
  const querystring = mark === -1 ? '' : path.slice(mark + 1);
  let contentType = '';
  let typeUrl = '';
  for (let at = 0; at + 1 < headers.length; at += 2) {
    if (headers[at] === 'content-type') contentType = headers[at + 1]!;
    else if (headers[at] === RPC_TYPE_URL) typeUrl = headers[at + 1]!;
  }
  return {
    typeUrl,
    message: {
      method: rpcMethodOf(headers) ?? unescaped(name),
      contentType,
      // A client of the gRPC API need not speak of HTTP at all.
      ...(verb === Verb.NONE ? {} : { httpExtension: { verb, querystring } }),
    },
  };
}
