import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';

/**
 * What a user's runs on this machine share: an index of the runs there are,
 * their control sockets (here because a socket's path may have 100 characters
 * only), the file in which sidecars find one another, and compiled code.
 */
export interface StateHome {
  readonly path: string;
}

/** Opens it, making it when it is not there. Only its user may read it. */
export function openStateHome(env: Readonly<Record<string, string | undefined>>): StateHome {
  const path = env.HOLDFAST_STATE_HOME || join(tmpdir(), `holdfast-${userInfo().username}`);
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new Error(
      `${path}, where runs are kept, cannot be made (${code}); set HOLDFAST_STATE_HOME to a folder of yours.`,
      { cause: error },
    );
  }
  const found = lstatSync(path);
  const uid = process.getuid?.();
  if (!found.isDirectory() || (uid !== undefined && found.uid !== uid)) {
    throw new Error(
      `${path} belongs to somebody else, so runs cannot be kept there; set HOLDFAST_STATE_HOME to a folder of yours.`,
    );
  }
  if ((found.mode & 0o077) !== 0 && uid !== undefined) chmodSync(path, 0o700);
  return { path };
}

/** The folders of all runs that were entered and are still there, whether they live or not. */
export function listedRuns(home: StateHome): readonly string[] {
  return namesIn(home.path)
    .filter((name) => name.endsWith('.run'))
    .flatMap((name) => {
      try {
        const folder = readFileSync(join(home.path, name), 'utf8');
        return existsSync(folder) ? [folder] : [];
      } catch {
        return []; // ended between the two looks
      }
    });
}

/** Temporary folders are cleaned by others; then nothing is listed. */
function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** Enters a run. Its sidecars may be started only after that. */
export function enterRun(home: StateHome, folder: string): void {
  writeFileSync(entryOf(home, folder, 'run'), folder, { mode: 0o600 });
}

/**
 * Takes a run out, and with the last one the file of names: a run enters itself
 * a hundred milliseconds before its first sidecar can open that file.
 */
export function leaveRun(home: StateHome, folder: string): void {
  rmSync(entryOf(home, folder, 'run'), { force: true });
  if (process.platform !== 'win32') rmSync(socketOf(home, folder), { force: true });
  if (listedRuns(home).length > 0) return;
  for (const name of [NAMES, `${NAMES}-wal`, `${NAMES}-shm`]) {
    rmSync(join(home.path, name), { force: true });
  }
}

/** Longest path a socket may have, less a few; macOS allows 104 bytes. */
const MAX_SOCKET_BYTES = 100;

/** The control socket of a run; a named pipe on Windows. */
export function socketOf(home: StateHome, folder: string): string {
  if (process.platform === 'win32') return `\\\\.\\pipe\\holdfast-${key(folder)}`;
  const path = entryOf(home, folder, 'sock');
  // Outside the private folder the socket's own mode and the token protect it.
  return Buffer.byteLength(path) <= MAX_SOCKET_BYTES
    ? path
    : join('/tmp', `holdfast-${key(folder)}.sock`);
}

/** The database in which sidecars find one another. */
export function namesFile(home: StateHome): string {
  return join(home.path, NAMES);
}

/** Compiled code, kept over runs; bin/launch.mjs uses the same. It may be deleted at any time. */
export function codeCache(home: StateHome): string {
  return join(home.path, 'code');
}

const NAMES = 'names.db';

function entryOf(home: StateHome, folder: string, suffix: 'run' | 'sock'): string {
  return join(home.path, `${key(folder)}.${suffix}`);
}

function key(folder: string): string {
  return createHash('sha256').update(folder).digest('hex').slice(0, 16);
}
