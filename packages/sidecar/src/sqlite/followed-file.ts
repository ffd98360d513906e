import { statSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';

/** What is made of an open file: its statements. */
interface Opened {
  readonly database: DatabaseSync;
}

/**
 * A database whose file somebody may delete, or put a backup in place of, while it is in use. SQLite goes on with the
 * one that it has open, which nobody finds any more: all that is written to it would be lost. So each call looks
 * whether the file is still the one at its path, and opens what is there where it is not.
 */
export class FollowedFile<T extends Opened> {
  readonly #open: () => Promise<T>;
  readonly #replaced: (path: string) => void;
  readonly #path: string | null;
  #current: T;
  #identity: string | undefined;
  #opening: Promise<void> | undefined;
  #closed = false;

  /** `replaced` hears of each time that another file is opened. @throws Error where it cannot be opened. */
  static async open<T extends Opened>(
    open: () => Promise<T>,
    replaced: (path: string) => void,
  ): Promise<FollowedFile<T>> {
    return new FollowedFile(await open(), open, replaced);
  }

  private constructor(first: T, open: () => Promise<T>, replaced: (path: string) => void) {
    this.#open = open;
    this.#replaced = replaced;
    this.#current = first;
    // In memory there is none.
    this.#path = first.database.location();
    this.#identity = identityOf(this.#path);
  }

  /** As last looked at: what waits may find another one open than when it began. */
  get current(): T {
    return this.#current;
  }

  /** @throws Error where what is at the path now cannot be opened; the next call tries again. */
  async look(): Promise<void> {
    if (this.#path !== null && identityOf(this.#path) !== this.#identity) {
      this.#opening ??= this.#reopen(this.#path).finally(() => {
        this.#opening = undefined;
      });
    }
    await this.#opening;
  }

  close(): void {
    this.#closed = true;
    this.#current.database.close();
  }

  async #reopen(path: string): Promise<void> {
    const next = await this.#open();
    if (this.#closed) {
      next.database.close();
      return;
    }
    // SQLite sees that its file has moved, and leaves the log beside the new one alone.
    this.#current.database.close();
    this.#current = next;
    this.#identity = identityOf(path);
    this.#replaced(path);
  }
}

function identityOf(path: string | null): string | undefined {
  const found = path === null ? undefined : statSync(path, { bigint: true, throwIfNoEntry: false });
  return found === undefined ? undefined : `${found.dev}:${found.ino}`;
}
