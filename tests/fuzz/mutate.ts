import type { Random } from '@holdfast/core';

/** Bytes that mean something to one parser or another. */
const TELLING = [0x00, 0x0a, 0x0d, 0x20, 0x22, 0x25, 0x2f, 0x3a, 0x7b, 0x7f, 0x80, 0xff].map(
  (byte) => Buffer.from([byte]),
);

/** One of `corpus`, changed in a few places: bytes turned, taken out, doubled, cut off, put together with another. */
export function mutate(corpus: readonly Buffer[], random: Random): Buffer {
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random.next() * list.length)]!;
  let bytes = Buffer.from(pick(corpus));
  const changes = 1 + Math.floor(random.next() * 4);
  for (let n = 0; n < changes; n += 1) {
    const at = Math.floor(random.next() * (bytes.length + 1));
    const length = Math.floor(random.next() * 8) + 1;
    const [before, after] = [bytes.subarray(0, at), bytes.subarray(at)];
    switch (Math.floor(random.next() * 6)) {
      case 0:
        if (at < bytes.length) bytes[at] = Math.floor(random.next() * 256);
        break;
      case 1:
        bytes = Buffer.concat([before, after.subarray(length)]);
        break;
      case 2:
        bytes = Buffer.concat([before, ...Array<Buffer>(length).fill(pick(TELLING)), after]);
        break;
      case 3:
        bytes = Buffer.concat([before, after, after.subarray(0, length)]);
        break;
      case 4:
        bytes = Buffer.from(before);
        break;
      default:
        bytes = Buffer.concat([before, pick(corpus).subarray(at)]);
    }
  }
  return bytes;
}
