import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chown, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Account } from './account.ts';
import type { Home } from './home.ts';

const run = promisify(execFile);

/**
 * Makes the cluster when there is none, with a password of its own for the
 * user `postgres`, which `passwordFile` keeps in pgpass format, readable by
 * the owner alone.
 *
 * The cluster is made beside its place and moved there when it is whole and
 * flushed: killed at any moment, the next start begins again or finds all.
 */
export async function makeCluster(
  home: Home,
  passwordFile: string,
  account: Account | undefined,
): Promise<void> {
  if (existsSync(join(home.data, 'PG_VERSION'))) return;
  const draft = `${home.data}.new`;
  const secret = `${home.data}.secret`;
  await rm(draft, { recursive: true, force: true });

  const password = await keepPassword(passwordFile);
  await writeFile(secret, password, { mode: 0o600 });
  await mkdir(draft, { mode: 0o700 });
  if (account !== undefined) {
    for (const path of [secret, draft]) await chown(path, account.uid, account.gid);
  }
  try {
    await run(
      join(home.native, 'bin', 'initdb'),
      [
        ...['--pgdata', draft, '--username', 'postgres', '--pwfile', secret],
        ...['--auth', 'scram-sha-256', '--encoding', 'UTF8', '--no-locale', '--no-instructions'],
      ],
      { ...account, cwd: join(home.data, '..') },
    );
  } finally {
    await rm(secret, { force: true });
  }
  await rename(draft, home.data);
}

/** The password of an earlier, unfinished attempt serves as well as a new one. */
async function keepPassword(passwordFile: string): Promise<string> {
  const line = await readFile(passwordFile, 'utf8').catch(() => '');
  const kept = line.trim().split(':').at(4);
  if (kept !== undefined) return kept;

  const password = randomBytes(24).toString('base64url');
  await writeFile(passwordFile, `*:*:*:postgres:${password}\n`, { mode: 0o600 });
  return password;
}
