import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, cp, mkdir, mkdtemp, readlink, rename, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Account } from './account.ts';

/** Where one database server lives. */
export interface Home {
  /** The cluster: PostgreSQL's data directory. */
  readonly data: string;
  /** Its programs: `bin`, `lib`, `share`. */
  readonly native: string;
}

/**
 * Makes a home that `account` can reach, under `directory` if it can.
 *
 * Where it cannot (a clone under /root, say), data and programs move to a
 * folder of their own below the system's temporary one, and `directory/away`
 * points there, so that the next start finds the same data. The account owns
 * its data and nothing around it: what root follows or removes, root has made.
 */
export async function makeHome(
  directory: string,
  native: string,
  account: Account | undefined,
): Promise<Home> {
  const data = join(directory, 'data');
  await mkdir(directory, { recursive: true });
  if (account === undefined) return { data, native };

  const away = await readlink(join(directory, 'away')).catch(() => undefined);
  if (away !== undefined && existsSync(join(away, 'native'))) {
    return { data: join(away, 'data'), native: join(away, 'native') };
  }
  // Temporary folders get swept, and a start can be killed half way; then a new one is made.
  if (away !== undefined) await rm(away, { recursive: true, force: true });
  await rm(join(directory, 'away'), { force: true });

  if (reaches(account, directory, native)) return { data, native };
  return moveAway(directory, native);
}

/** Removes a home, wherever it is. */
export async function removeHome(directory: string): Promise<void> {
  const away = await readlink(join(directory, 'away')).catch(() => undefined);
  if (away !== undefined) await rm(away, { recursive: true, force: true });
  await rm(directory, { recursive: true, force: true });
}

async function moveAway(directory: string, native: string): Promise<Home> {
  const away = await mkdtemp(join(tmpdir(), 'holdfast-postgres-'));
  await symlink(away, join(directory, 'away'));
  const draft = join(away, 'native.new');
  await cp(native, draft, { recursive: true, verbatimSymlinks: true });
  await chmod(away, 0o755);
  await rename(draft, join(away, 'native'));
  return { data: join(away, 'data'), native: join(away, 'native') };
}

/** Only a process of that account can tell for certain: folders above, mounts and ACLs all count. */
function reaches(account: Account, directory: string, native: string): boolean {
  const test =
    'test -x "$1" && test -x "$2/bin/postgres" && test -r "$2/share/postgresql/postgres.bki"';
  const { status } = spawnSync('/bin/sh', ['-c', test, 'sh', directory, native], account);
  return status === 0;
}
