/** A varint of 64 bits has no more. */
const LONGEST_VARINT_BYTES = 10;

/** Avro's binary encoding, read piece by piece. @throws Error where it ends too early. */
export class AvroReader {
  readonly #bytes: Buffer;
  #at: number;

  constructor(bytes: Buffer, at: number) {
    this.#bytes = bytes;
    this.#at = at;
  }

  take(count: number): Buffer {
    const end = this.#at + count;
    if (count < 0 || end > this.#bytes.length) throw new Error('short buffer');
    const taken = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return taken;
  }

  boolean(): boolean {
    const [byte] = this.take(1);
    if (byte === 0 || byte === 1) return byte === 1;
    throw new Error(`a boolean is 0 or 1, not ${byte}`);
  }

  long(): bigint {
    let zigzag = 0n;
    for (let place = 0; place < LONGEST_VARINT_BYTES; place += 1) {
      const byte = this.take(1)[0]!;
      zigzag |= BigInt(byte & 0x7f) << BigInt(7 * place);
      if (byte < 0x80) return BigInt.asIntN(64, (zigzag >> 1n) ^ -(zigzag & 1n));
    }
    throw new Error('a number has no end');
  }

  float(): number {
    return this.take(4).readFloatLE();
  }

  double(): number {
    return this.take(8).readDoubleLE();
  }

  sized(): Buffer {
    return this.take(Number(this.long()));
  }
}
