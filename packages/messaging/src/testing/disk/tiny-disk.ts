import { execFile } from 'node:child_process';
import { mkdtemp, rmdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A real file system of a few kilobytes, in memory. */
export interface TinyDisk {
  readonly path: string;
  /** Makes room; in kilobytes. */
  grow(sizeKb: number): Promise<void>;
  readOnly(): Promise<void>;
  writable(): Promise<void>;
}

/** Mounts one until the test ends; says why where it cannot (not Linux, not root). */
export async function tinyDisk(t: TestContext, sizeKb: number): Promise<TinyDisk | string> {
  const path = await mkdtemp(join(tmpdir(), 'holdfast-disk-'));
  try {
    await run('mount', ['-t', 'tmpfs', '-o', `size=${sizeKb}k`, 'tmpfs', path]);
  } catch {
    await rmdir(path);
    return 'a small file system cannot be mounted here (it takes Linux and root)';
  }
  t.after(async () => {
    // Lazily, so that a file still open does not keep the directory from being removed.
    await run('umount', ['-l', path]);
    await rmdir(path);
  });
  return {
    path,
    grow: async (kb) => void (await run('mount', ['-o', `remount,size=${kb}k`, path])),
    readOnly: async () => void (await run('mount', ['-o', 'remount,ro', path])),
    writable: async () => void (await run('mount', ['-o', 'remount,rw', path])),
  };
}
