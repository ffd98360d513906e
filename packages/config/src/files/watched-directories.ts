import { realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { isYamlName } from './read-sources.ts';

/** A directory as it is now: another in its place has another identity. */
export interface WatchedDirectory {
  readonly at: string;
  readonly identity: string;
  /** Whether what happened to the entry of that name can change the content. */
  concerns(name: string): boolean;
}

/** The directories whose changes can change the content: of each path, and of what it links to. */
export async function watchedDirectories(
  paths: readonly string[],
  files: readonly string[],
): Promise<WatchedDirectory[]> {
  const folders = new Set<string>();
  /** By directory, the entries that count there. */
  const entries = new Map<string, Set<string>>();
  const watchEntry = (file: string) => {
    const at = path.dirname(file);
    entries.set(at, (entries.get(at) ?? new Set()).add(path.basename(file)));
  };
  for (const given of paths) {
    // The parent tells when the path itself comes, goes, or is linked elsewhere.
    watchEntry(path.resolve(given));
    const found = await stat(given).catch(() => undefined);
    if (found?.isDirectory()) folders.add(await realpath(given).catch(() => path.resolve(given)));
  }
  for (const file of files) {
    // A file that is gone by now has nothing to watch; the next reading will see it.
    const real = await realpath(file).catch(() => undefined);
    if (real !== undefined) watchEntry(real);
  }
  const directories: WatchedDirectory[] = [];
  for (const at of new Set([...folders, ...entries.keys()])) {
    const found = await stat(at).catch(() => undefined);
    if (found === undefined) continue;
    const concerns = (name: string) =>
      entries.get(at)?.has(name) || (folders.has(at) && isYamlName(name)) || mayBeLinked(name);
    directories.push({ at, identity: `${at} ${found.dev}:${found.ino}`, concerns });
  }
  return directories;
}

/**
 * Whether files may be linked through it: `..data`, as Kubernetes names it; `current`. What has an extension is
 * not, such as a database or a log beside the files, which changes many times a second: polling sees the rest.
 */
const mayBeLinked = (name: string): boolean => name.startsWith('..') || path.extname(name) === '';
