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
  const { settleMs, pollMs, emptiedMs, clock } = { ...WATCH_DEFAULTS, ...options };
  const directories = new DirectoryWatch(() => settle());
  const emptied = new EmptiedFiles(emptiedMs);
  let closed = false;
  let digest = options.digest;
  let settling: Timer | undefined;
  let settlingSince: number | undefined;
  let poll: Timer | undefined;
  let reading = false;
  let changedMeanwhile = false;

  const settle = () => {
    if (closed) return;
    const now = clock.now();
    const since = settlingSince ?? now;
    settlingSince = since;
    const waited = now - since;
    settling?.cancel();
    settling = clock.timer(
      Math.max(0, Math.min(settleMs, LONGEST_SETTLING * settleMs - waited)),
      look,
    );
  };

  const look = () => {
    settling = undefined;
    settlingSince = undefined;
    if (reading) {
      changedMeanwhile = true;
      return;
    }
    reading = true;
    void read().finally(() => {
      reading = false;
      if (changedMeanwhile && !closed) look();
      changedMeanwhile = false;
    });
  };

  const read = async () => {
    const sources = await readSources(paths);
    // Watch what was there when it was read.
    const places = await watchedDirectories(
      paths,
      sources.sources.map(({ file }) => file),
    );
    if (closed) return;
    // What has changed between reading and watching nobody tells.
    if (directories.set(places)) changedMeanwhile = true;
    const now = digestOf(sources);
    const changed = digest !== undefined && digest !== now;
    const waitMs = changed ? emptied.waitMs(sources.sources, clock.now()) : 0;
    if (waitMs > 0) {
      // One that has come meanwhile looks sooner, and finds the same.
      settling ??= clock.timer(waitMs, look);
      return;
    }
    digest = now;
    emptied.take(sources.sources);
    if (changed) onChange(sources);
  };

  const tick = () => {
    look();
    poll = clock.timer(pollMs, tick);
  };
  tick();

  return {
    close() {
      closed = true;
      settling?.cancel();
      poll?.cancel();
      directories.set([]);
    },
  };
}

/** Names what the files hold now, for `watchSources`. */
export async function digestSources(paths: readonly string[]): Promise<string> {
  return digestOf(await readSources(paths));
}
