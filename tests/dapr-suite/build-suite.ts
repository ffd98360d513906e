import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';

const MODULE = 'github.com/dapr/dapr';
export const VERSION = 'v1.18.1';
/** The release that this version names is not on every proxy; only the scheduler uses it. */
const REPLACED = 'github.com/diagridio/go-etcd-cron=github.com/diagridio/go-etcd-cron@v0.12.6';

/** Where the suite lies when it is compiled. */
export interface Suite {
  readonly executable: string;
  /** The suite expects to be started here. */
  readonly folder: string;
}

/**
 * Dapr's integration tests, compiled; kept in the user's cache folder.
 *
 * @throws Error that says what is missing.
 */
export function buildSuite(): Suite {
  const cache = process.env.XDG_CACHE_HOME ?? path.join(homedir(), '.cache');
  const kept = path.join(cache, 'holdfast-dapr-suite', VERSION);
  const source = path.join(kept, 'source');
  const executable = path.join(kept, 'suite');
  const folder = path.join(source, 'tests/integration');
  if (existsSync(executable)) return { executable, folder };
  if (spawnSync('go', ['version']).status !== 0) {
    throw new Error('The suite needs Go 1.26 or later: install it, and have `go` on the path.');
  }
  mkdirSync(kept, { recursive: true });
  console.log(`fetching ${MODULE}@${VERSION} …`);
  const found = JSON.parse(go(kept, 'mod', 'download', '-json', `${MODULE}@${VERSION}`)) as {
    Dir: string;
  };
  rmSync(source, { recursive: true, force: true });
  cpSync(found.Dir, source, { recursive: true });
  makeWritable(source);
  go(source, 'mod', 'edit', `-replace=${REPLACED}`);
  console.log('compiling the suite, which takes some minutes …');
  go(source, 'test', '-c', '-tags', 'integration', '-o', executable, './tests/integration/');
  return { executable, folder };
}

function go(cwd: string, ...args: readonly string[]): string {
  const env = { ...process.env, GOFLAGS: '-mod=mod' };
  const stdio = ['ignore', 'pipe', 'inherit'] as const;
  return execFileSync('go', args, { cwd, env, stdio: [...stdio], encoding: 'utf8' });
}

/** The module cache is read-only. */
function makeWritable(folder: string): void {
  chmodSync(folder, 0o755);
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const at = path.join(folder, entry.name);
    if (entry.isDirectory()) makeWritable(at);
    else chmodSync(at, 0o644);
  }
}
