import { type Clock, systemClock, type Timer } from '@holdfast/core';
import { DirectoryWatch } from './directory-watch.ts';
import { EmptiedFiles } from './emptied-files.ts';
import { digestOf } from './load-resiliency.ts';
import { readSources, type Sources } from './read-sources.ts';
import { watchedDirectories } from './watched-directories.ts';

export interface WatchSourcesOptions {
  /** What was read before; a change since then is not missed. @default as the disk is */
  readonly digest?: string | undefined;
  /** Quiet after the last change before the files are read; editors write in steps. @default 100 ms */
  readonly settleMs?: number;
  /** The files are read this often whatever the system reports: network disks report nothing. @default 5_000 ms */
  readonly pollMs?: number;
  /**
   * A file that is emptied says so only when it has been empty for this long: editors that write in
   * place empty it for milliseconds, on a network disk for longer, and nobody waits for a removal.
   * @default 1_500 ms
   */
  readonly emptiedMs?: number;
  /** @default systemClock */
  readonly clock?: Clock;
}

const WATCH_DEFAULTS = {
  digest: undefined,
  settleMs: 100,
  pollMs: 5_000,
  emptiedMs: 1_500,
  clock: systemClock,
} as const;

/** Changes that never pause are read after this many times `settleMs` all the same. */
const LONGEST_SETTLING = 10;

export interface Watching {
  /** Ends it: nothing is called any more, no watcher and no timer is left. */
  close(): void;
}

/**
 * Calls `onChange` whenever the content of the files is another: after an editor
 * has replaced them, a symbolic link was turned elsewhere, a file came or went.
 * Paths are read as `readSources` does; once per content.
 */
export function watchSources(
  paths: readonly string[],
  options: WatchSourcesOptions,
  onChange: (sources: Sources) => void,
): Watching {
  const watch = new SourceWatch(paths, { ...WATCH_DEFAULTS, ...options }, onChange);
  watch.tick();
  return watch;
}

class SourceWatch implements Watching {
  readonly #paths: readonly string[];
  readonly #options: Required<WatchSourcesOptions>;
  readonly #onChange: (sources: Sources) => void;
  readonly #directories = new DirectoryWatch(() => this.#settle());
  readonly #emptied: EmptiedFiles;
  #digest: string | undefined;
  #closed = false;
  #settling: Timer | undefined;
  #settlingSince: number | undefined;
  #poll: Timer | undefined;
  #reading = false;
  #changedMeanwhile = false;

  constructor(
    paths: readonly string[],
    options: Required<WatchSourcesOptions>,
    onChange: (sources: Sources) => void,
  ) {
    this.#paths = paths;
    this.#options = options;
    this.#onChange = onChange;
    this.#emptied = new EmptiedFiles(options.emptiedMs);
    this.#digest = options.digest;
  }

  /** Looks now, and every `pollMs` from now on. */
  tick(): void {
    this.#look();
    this.#poll = this.#options.clock.timer(this.#options.pollMs, () => this.tick());
  }

  close(): void {
    this.#closed = true;
    this.#settling?.cancel();
    this.#poll?.cancel();
    this.#directories.set([]);
  }

  /** Looks once the changes have paused. */
  #settle(): void {
    if (this.#closed) return;
    const { clock, settleMs } = this.#options;
    const now = clock.now();
    this.#settlingSince ??= now;
    const leftMs = LONGEST_SETTLING * settleMs - (now - this.#settlingSince);
    this.#settling?.cancel();
    this.#settling = clock.timer(Math.max(0, Math.min(settleMs, leftMs)), () => this.#look());
  }

  #look(): void {
    this.#settling = undefined;
    this.#settlingSince = undefined;
    if (this.#reading) {
      this.#changedMeanwhile = true;
      return;
    }
    this.#reading = true;
    void this.#read().finally(() => {
      this.#reading = false;
      if (this.#changedMeanwhile && !this.#closed) this.#look();
      this.#changedMeanwhile = false;
    });
  }

  async #read(): Promise<void> {
    const read = await readSources(this.#paths);
    const files = read.sources.map(({ file }) => file);
    // Watch what was there when it was read.
    const places = await watchedDirectories(this.#paths, files);
    if (this.#closed) return;
    // What has changed between reading and watching nobody tells.
    if (this.#directories.set(places)) this.#changedMeanwhile = true;
    this.#take(read);
  }

  #take(read: Sources): void {
    const { clock } = this.#options;
    const now = digestOf(read);
    const changed = this.#digest !== undefined && this.#digest !== now;
    const waitMs = changed ? this.#emptied.waitMs(read.sources, clock.now()) : 0;
    if (waitMs > 0) {
      // One that has come meanwhile looks sooner, and finds the same.
      this.#settling ??= clock.timer(waitMs, () => this.#look());
      return;
    }
    this.#digest = now;
    this.#emptied.take(read.sources);
    if (changed) this.#onChange(read);
  }
}

/** Names what the files hold now, for `watchSources`. */
export async function digestSources(paths: readonly string[]): Promise<string> {
  return digestOf(await readSources(paths));
}
