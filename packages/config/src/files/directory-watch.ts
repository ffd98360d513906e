import { type FSWatcher, watch } from 'node:fs';
import type { WatchedDirectory } from './watched-directories.ts';

/** Watches a changing set of directories; what cannot be watched is left to polling. */
export class DirectoryWatch {
  readonly #watchers = new Map<string, FSWatcher>();
  readonly #changed: () => void;
  #wanted: ReadonlyMap<string, WatchedDirectory> = new Map();

  constructor(changed: () => void) {
    this.#changed = changed;
  }

  /** Whether one is watched now that was not before. */
  set(directories: readonly WatchedDirectory[]): boolean {
    this.#wanted = new Map(directories.map((directory) => [directory.identity, directory]));
    for (const [identity, watcher] of this.#watchers) {
      if (this.#wanted.has(identity)) continue;
      watcher.close();
      this.#watchers.delete(identity);
    }
    let added = false;
    for (const [identity, { at }] of this.#wanted) {
      if (!this.#watchers.has(identity)) added = this.#add(identity, at) || added;
    }
    return added;
  }

  #add(identity: string, at: string): boolean {
    try {
      const watcher = watch(at, { persistent: false }, (_event, name) => {
        // Some systems do not say what has changed.
        if (name === null || this.#wanted.get(identity)?.concerns(name)) this.#changed();
      });
      this.#watchers.set(identity, watcher);
      // The directory went, or the system ran out of watches: polling goes on without it.
      watcher.on('error', () => {
        watcher.close();
        if (this.#watchers.get(identity) === watcher) this.#watchers.delete(identity);
      });
      return true;
    } catch {
      // As above: polling sees what this would have.
      return false;
    }
  }
}
