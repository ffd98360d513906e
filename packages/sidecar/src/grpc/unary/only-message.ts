import { Code, ConnectError } from '@connectrpc/connect';
import { MESSAGE_HEAD_BYTES } from '../wire/message-frame.ts';

/** Set in the flags of a compressed message. */
const COMPRESSED = 1;

/** The message in the body of a unary call. @throws ConnectError, in connect's words, where there is not just one */
export function onlyMessage(body: Buffer): Buffer {
  const first = messageLength(body, 0);
  if (first === undefined) throw unimplemented('missing input message');
  if ((body[0]! & COMPRESSED) !== 0) {
    throw new ConnectError(
      'received compressed envelope, but do not know how to decompress',
      Code.Internal,
    );
  }
  const end = MESSAGE_HEAD_BYTES + first;
  if (messageLength(body, end) !== undefined) throw extraMessage();
  return body.subarray(MESSAGE_HEAD_BYTES, end);
}

/** More came than one message. */
export const extraMessage = (): ConnectError => unimplemented('received extra input message');

/** Of the one that begins there; undefined where nothing does. */
function messageLength(body: Buffer, at: number): number | undefined {
  if (at === body.length) return undefined;
  const from = at + MESSAGE_HEAD_BYTES;
  const length = from > body.length ? Number.POSITIVE_INFINITY : body.readUInt32BE(at + 1);
  if (from + length > body.length) {
    throw new ConnectError('protocol error: incomplete envelope', Code.InvalidArgument);
  }
  return length;
}

function unimplemented(what: string): ConnectError {
  return new ConnectError(`protocol error: ${what} for unary method`, Code.Unimplemented);
}
