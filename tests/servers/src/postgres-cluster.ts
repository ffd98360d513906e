import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chown, mkdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** What PostgreSQL runs as; undefined: as this process does. */
export type Account = { readonly uid: number; readonly gid: number } | undefined;

const CACHE = fileURLToPath(
  new URL('../../../node_modules/.cache/holdfast-postgres', import.meta.url),
);

/**
 * Makes a cluster in the folder `data`, which is not there yet. `initdb` takes a second of processor and
 * five on a busy machine; so each version does it once, and all others of it are copies of that.
 */
export async function makeCluster(native: string, data: string, account: Account): Promise<void> {
  // Nothing to copy with, or owners to keep, on Windows.
  const first = process.platform === 'win32' ? undefined : await firstOf(native, account);
  if (first !== undefined && existsSync(first)) {
    await copy(first, data);
    return;
  }
  await mkdir(data, { mode: 0o700 });
  if (account !== undefined) await chown(data, account.uid, account.gid);
  await run(
    join(native, 'bin', 'initdb'),
    ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--no-locale', '--no-sync'],
    { ...account, cwd: dirname(data) },
  );
  // Where nothing can be kept, the next makes its own as well.
  if (first !== undefined) await keep(data, first).catch(() => {});
}

/** Where the first of this version and account is kept. */
async function firstOf(native: string, account: Account): Promise<string> {
  const about = await readFile(join(native, '..', 'package.json'), 'utf8').catch(() => '');
  const hash = createHash('sha256').update(`${native}\n${account?.uid ?? ''}\n${about}`);
  return join(CACHE, hash.digest('hex').slice(0, 16));
}

/** Whole or not at all, since others may do the same at the same time. */
async function keep(data: string, first: string): Promise<void> {
  const own = `${first}-${process.pid}`;
  await mkdir(CACHE, { recursive: true });
  await copy(data, own);
  // Somebody else was faster: theirs is as good.
  await rename(own, first).catch(() => rm(own, { recursive: true, force: true }));
}

const copy = (from: string, to: string) => run('cp', ['-a', from, to]);
