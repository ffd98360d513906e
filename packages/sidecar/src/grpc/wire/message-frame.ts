/** A frame of gRPC's: a byte of flags, four of length, and so many bytes. */
export const MESSAGE_HEAD_BYTES = 5;

/** A message as it goes on a stream of gRPC, uncompressed where `flags` does not say otherwise. */
export function framed(message: Uint8Array, flags = 0): Buffer {
  const head = Buffer.alloc(MESSAGE_HEAD_BYTES);
  head[0] = flags;
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}
