/**
 * Bytes that come in parts. A part of one byte costs a hundred as an object of its own, so parts are
 * copied together: what is held is at most twice what came.
 */
export class GrownBytes {
  #held: Uint8Array = new Uint8Array();
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(part: Uint8Array): void {
    const length = this.#length + part.byteLength;
    if (this.#length === 0) {
      // Most bodies come whole. This one is not written to: it has no room.
      this.#held = part;
    } else {
      if (length > this.#held.byteLength) {
        const larger = Buffer.allocUnsafeSlow(Math.max(length, 2 * this.#length, 1_024));
        larger.set(this.#held.subarray(0, this.#length));
        this.#held = larger;
      }
      this.#held.set(part, this.#length);
    }
    this.#length = length;
  }

  bytes(): Uint8Array {
    return this.#held.subarray(0, this.#length);
  }
}
