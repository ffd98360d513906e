import { randomFillSync } from 'node:crypto';

export const NONCE_BYTES = 12;

/** Asking for randomness costs more than encrypting a small message; so for many at once. */
const LOT = 512;
const lot = Buffer.alloc(LOT * NONCE_BYTES);
let at = lot.byteLength;

/** Twelve random bytes that were never given before; they are overwritten after `LOT` more, so copy them. */
export function nextNonce(): Uint8Array {
  if (at === lot.byteLength) {
    randomFillSync(lot);
    at = 0;
  }
  at += NONCE_BYTES;
  return lot.subarray(at - NONCE_BYTES, at);
}
