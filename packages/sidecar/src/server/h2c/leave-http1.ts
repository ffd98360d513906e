import type { Socket } from 'node:net';

/** What node's HTTP/1 parser, which is not in its types, can do with its socket. */
interface Parser {
  /** Takes no more bytes past the socket. */
  unconsume(): void;
  /** Takes it off the list whose heads must be complete in time. */
  remove(): void;
}

/** The client's first bytes, where it knows that the server speaks HTTP/2 (RFC 9113 §3.4). */
export const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');

/** What node's parser says of them, with the bytes that it had in hand. */
interface ParseError extends Error {
  readonly code?: string;
  readonly bytesParsed?: number;
  readonly rawPacket?: Buffer;
}

/**
 * What came after the preface, if that is what `error` is about and it is the
 * first thing on its connection. HTTP/1.1 pays nothing for this: its parser
 * knows the preface, and stops there.
 */
export function afterPreface(error: ParseError, socket: Socket): Buffer | undefined {
  if (error.code !== 'HPE_PAUSED_H2_UPGRADE') return undefined;
  const { bytesParsed = 0, rawPacket = Buffer.alloc(0) } = error;
  const before = socket.bytesRead - rawPacket.length;
  return before + bytesParsed === PREFACE.length ? rawPacket.subarray(bytesParsed) : undefined;
}

/** Frees a socket from node's HTTP/1 server, for another protocol. Its count of connections keeps it. */
export function leaveHttp1(socket: Socket): void {
  const { parser } = socket as Socket & { readonly parser?: Parser | null };
  parser?.unconsume();
  parser?.remove();
  // The parser's memory goes when the socket closes, by the listener that stays.
  for (const event of ['data', 'end', 'drain', 'error', 'timeout', 'pause', 'resume']) {
    socket.removeAllListeners(event);
  }
  socket.setTimeout(0);
  // HTTP/1's server answers who has no more to say; HTTP/2 has no such half.
  socket.allowHalfOpen = false;
}
