import type { IncomingMessage } from '../../message.ts';

/** The two sides of the books: what producers were told, and what the consumer saw. */
export class Ledger {
  readonly accepted = new Set<string>();
  readonly delivered = new Set<string>();
  /** Deliveries beyond the first of an id. */
  duplicates = 0;
  /** Ids whose first delivery came after that of a later message of their key. */
  readonly outOfOrder: string[] = [];
  readonly #lastOfKey = new Map<string, string>();

  deliver({ id, key = '' }: IncomingMessage): void {
    if (this.delivered.has(id)) {
      this.duplicates += 1;
      return;
    }
    this.delivered.add(id);
    // Ids sort in the order in which they were accepted.
    if (id < (this.#lastOfKey.get(key) ?? '')) this.outOfOrder.push(id);
    this.#lastOfKey.set(key, id);
  }

  /** Accepted and neither delivered nor in `elsewhere` (queued or dead). */
  lost(elsewhere: ReadonlySet<string>): readonly string[] {
    return [...this.accepted].filter((id) => !this.delivered.has(id) && !elsewhere.has(id));
  }
}
