import type { ConfigurationItem, ConfigurationItems } from './configuration-store.ts';

/** Keys that one subscription remembers; one of all keys may have any number. */
export const MOST_SEEN = 20_000;

/**
 * What a subscription was last told of each key, or what was there when it began: after an outage, in which
 * nobody hears anything, what differs from it has changed. Of more than `MOST_SEEN` keys nothing is kept.
 */
export class SeenItems {
  #texts: Map<string, string> | undefined;

  /** In place of all that was seen before; `undefined` where there are too many. */
  begin(items: ConfigurationItems | undefined): void {
    this.#texts = items === undefined ? undefined : new Map();
    for (const [key, item] of Object.entries(items ?? {})) this.see(key, item);
  }

  /** False from the moment on at which there were too many. */
  get complete(): boolean {
    return this.#texts !== undefined;
  }

  see(key: string, item: ConfigurationItem | undefined): void {
    if (item === undefined) this.#texts?.delete(key);
    else this.#texts?.set(key, JSON.stringify(item));
    if (this.#texts !== undefined && this.#texts.size > MOST_SEEN) this.#texts = undefined;
  }

  /** Keys that are otherwise now, or gone, or new; none where it is not complete. */
  differing(now: ConfigurationItems): readonly string[] {
    const texts = this.#texts;
    if (texts === undefined) return [];
    const keys = new Set([...texts.keys(), ...Object.keys(now)]);
    return [...keys].filter((key) => {
      const item = now[key];
      return texts.get(key) !== (item === undefined ? undefined : JSON.stringify(item));
    });
  }
}
