/**
 * Where in its stream a subscription would have to go on if its consumer were gone, as one without a
 * durable name is when its server was. No more are held than the server hands out unacknowledged.
 */
export class UnhandledSequences {
  readonly #unhandled = new Set<number>();
  #next: number | undefined;

  add(sequence: number): void {
    this.#unhandled.add(sequence);
    this.#next = Math.max(this.#next ?? 0, sequence + 1);
  }

  delete(sequence: number): void {
    this.#unhandled.delete(sequence);
  }

  /** Undefined before anything has come. */
  first(): number | undefined {
    let first = this.#next;
    for (const sequence of this.#unhandled) if (sequence < first!) first = sequence;
    return first;
  }
}
