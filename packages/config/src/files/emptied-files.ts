import type { Source } from './read-sources.ts';

/**
 * Tells an editor that empties a file before it writes it, which takes milliseconds, from
 * somebody who has emptied it to take away what it says.
 */
export class EmptiedFiles {
  readonly #holdMs: number;
  #known: ReadonlySet<string> = new Set();
  #sinceMs: ReadonlyMap<string, number> = new Map();

  /** `holdMs`: a file that stays empty for so long is meant so. */
  constructor(holdMs: number) {
    this.#holdMs = holdMs;
  }

  /** How long what the files say is to be waited for; 0: they say it. */
  waitMs(sources: readonly Source[], nowMs: number): number {
    const fresh = emptyOnes(sources).filter((file) => !this.#known.has(file));
    this.#sinceMs = new Map(fresh.map((file) => [file, this.#sinceMs.get(file) ?? nowMs]));
    const left = [...this.#sinceMs.values()].map((since) => since + this.#holdMs - nowMs);
    return Math.max(0, ...left);
  }

  /** What the files say is in force. */
  take(sources: readonly Source[]): void {
    this.#known = new Set(emptyOnes(sources));
    this.#sinceMs = new Map();
  }
}

const emptyOnes = (sources: readonly Source[]): string[] =>
  sources.filter(({ bytes }) => bytes.every(isBlank)).map(({ file }) => file);

/** Space, tab, line feed, carriage return. */
const isBlank = (byte: number): boolean =>
  byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d;
