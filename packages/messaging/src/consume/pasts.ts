import { hostname } from 'node:os';
import type { HistoryEntry } from '../store.ts';

/** What this process knows of a message that it had in hand. */
export interface Past {
  /** As the broker said when this process had it first: what came to it since, this process knows itself. */
  readonly unended: number;
  readonly failed: number;
  /** How its deliveries ended, as far as this process knows. */
  readonly history: readonly HistoryEntry[];
}

/** Messages that are remembered, the latest ones: others may have gone to another member. */
const MOST_REMEMBERED = 1_000;
/** Characters of all histories; of those beyond, that have not been heard of for the longest, only the counts are kept. */
const MOST_CHARACTERS = 1_000_000;

/** The messages of a subscription that did not get done at once, within bounds, the latest ones last. */
export class Pasts {
  readonly #known = new Map<string, Past>();
  #characters = 0;

  find(id: string): Past | undefined {
    return this.#known.get(id);
  }

  remember(id: string, past: Past): void {
    this.#forget(id);
    this.#known.set(id, past);
    this.#characters += charactersOf(past);
    if (this.#known.size > MOST_REMEMBERED) {
      const [oldest] = this.#known.keys();
      if (oldest !== undefined) this.#forget(oldest);
    }
    if (this.#characters <= MOST_CHARACTERS) return;
    for (const [other, each] of this.#known) {
      if (other === id || this.#characters <= MOST_CHARACTERS) return;
      this.#characters -= charactersOf(each);
      this.#known.set(other, { ...each, history: [] });
    }
  }

  #forget(id: string): void {
    const past = this.#known.get(id);
    if (past === undefined) return;
    this.#characters -= charactersOf(past);
    this.#known.delete(id);
  }
}

const charactersOf = ({ history }: Past): number =>
  history.reduce((sum, { at, detail }) => sum + at.length + detail.length, 0);

/** By which histories name this process. */
export const THIS_PROCESS = `${hostname()}:${process.pid}`;
