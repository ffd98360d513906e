/** Avro's binary encoding, written piece by piece; what was written last can be taken back. */
export class AvroWriter {
  readonly #pieces: Buffer[] = [];

  /** To go back to. */
  get mark(): number {
    return this.#pieces.length;
  }

  goBack(mark: number): void {
    this.#pieces.length = mark;
  }

  bytes(bytes: Buffer): void {
    this.#pieces.push(bytes);
  }

  boolean(value: boolean): void {
    this.#pieces.push(Buffer.of(value ? 1 : 0));
  }

  /** Of an int or a long, and the lengths and indexes of everything else. */
  long(value: bigint | number): void {
    const whole = BigInt(value);
    // Zigzag: small numbers of either sign are short.
    let rest = BigInt.asUintN(64, (whole << 1n) ^ (whole >> 63n));
    const bytes: number[] = [];
    while (rest > 0x7fn) {
      bytes.push(Number(rest & 0x7fn) | 0x80);
      rest >>= 7n;
    }
    bytes.push(Number(rest));
    this.#pieces.push(Buffer.from(bytes));
  }

  float(value: number): void {
    const bytes = Buffer.alloc(4);
    bytes.writeFloatLE(value);
    this.#pieces.push(bytes);
  }

  double(value: number): void {
    const bytes = Buffer.alloc(8);
    bytes.writeDoubleLE(value);
    this.#pieces.push(bytes);
  }

  /** Bytes, or a text's, behind their length. */
  sized(bytes: Buffer): void {
    this.long(bytes.length);
    this.#pieces.push(bytes);
  }

  all(): Buffer {
    return Buffer.concat(this.#pieces);
  }
}
