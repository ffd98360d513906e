import { type FSWatcher, watch } from 'node:fs';

/**
 * Hears that any process has written to a SQLite file, by its log. Not every
 * file system tells (and then `works` is false, or it is silent), so that who
 * needs to know looks by itself as well, less often.
 */
export class FileWatch {
  readonly #path: string;
  readonly #changed: () => void;
  #watcher: FSWatcher | undefined;
  #generation = 0;
  #told = false;

  constructor(path: string, changed: () => void) {
    this.#path = `${path}-wal`;
    this.#changed = changed;
  }

  get works(): boolean {
    return this.#watcher !== undefined;
  }

  /** Begins, or begins anew where the file was opened again since. */
  follow(generation: number): void {
    if (generation === this.#generation) return;
    this.close();
    this.#generation = generation;
    try {
      this.#watcher = watch(this.#path, { persistent: false }, () => this.#tell());
      this.#watcher.on('error', () => this.close());
    } catch {
      // There is no log before the first write, or nothing to watch with: looking now and then serves.
      this.#generation = 0;
    }
  }

  close(): void {
    this.#watcher?.close();
    this.#watcher = undefined;
  }

  /** One transaction writes many times; once a turn is enough. */
  #tell(): void {
    if (this.#told) return;
    this.#told = true;
    setImmediate(() => {
      this.#told = false;
      this.#changed();
    });
  }
}
