/**
 * The leg between two sidecars: many calls on one connection.
 *
 *     frame    u32 length | u8 kind (top bit: last of this direction) | u32 stream | payload
 *     HEAD     u16 n | n bytes of head text | bytes of the body
 *     DATA     bytes of the body, CHUNK_BYTES at most
 *     RESET    the call is given up
 *     CREDIT   u32 more bytes may be sent
 *     BYE      why the connection is not let in; its stream is 0 and nothing follows
 *     PING     is the other side there? Its stream is 0; the answer is the same, as the last
 *
 * A head text is latin1 lines joined by line breaks: verb and path, or the
 * status, then `name`, `value`, … HTTP forbids line breaks in any of these, so
 * nothing is escaped. A status of 0 is the callee's sidecar speaking, in the body.
 * Both ends begin with the preface, so that whoever is not one of us is told apart.
 */
export const PREFACE = Buffer.from('HLDF1\n');

export const HEAD = 1;
export const DATA = 2;
export const RESET = 3;
export const CREDIT = 4;
export const BYE = 5;
export const PING = 6;
/** Set in a frame's kind: nothing follows in this direction. */
export const LAST = 0x80;

export const FRAME_BYTES = 9;
/** A small body travels inside its head's frame. */
export const INLINE_BYTES = 16 * 1024;
/** Bounds how long a large body holds up the others on its connection. */
export const CHUNK_BYTES = 16 * 1024;
/** What may be sent ahead of the reader, per call and direction. */
export const WINDOW_BYTES = 128 * 1024;
export const MAX_HEAD_BYTES = 60 * 1024;
export const MAX_FRAME_BYTES = 2 + MAX_HEAD_BYTES + INLINE_BYTES;
/** The longest reason of a BYE. */
export const MAX_BYE_BYTES = 1024;
/** Status of an answer that is the sidecar's own. */
export const FAULT = 0;

/** `first` is the verb and path of a call, or the status of an answer. */
export function headText(first: string, headers: readonly string[]): string {
  return headers.length === 0 ? first : `${first}\n${headers.join('\n')}`;
}
