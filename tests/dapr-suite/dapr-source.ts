import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { checkGo } from './go-toolchain.ts';

const MODULE = 'github.com/dapr/dapr';
const VERSION = 'v1.18.1';
/** What `go.mod` of that version asks for. */
const OLDEST_GO = '1.26.4';
/** The release that this version names is not on every proxy; only the scheduler uses it. */
const REPLACED = 'github.com/diagridio/go-etcd-cron=github.com/diagridio/go-etcd-cron@v0.12.6';

/** Dapr's source, where its tests can be compiled. */
export interface DaprSource {
  /** Its root: a Go module that can be written to. */
  readonly folder: string;
  /** Where what is compiled is kept. */
  readonly kept: string;
}

/**
 * Dapr's source, kept in the user's cache folder (`XDG_CACHE_HOME`, else `~/.cache`).
 *
 * @throws Error that says what is missing.
 */
export function daprSource(): DaprSource {
  if (process.platform !== 'linux') {
    throw new Error(
      `The suite needs Linux, not ${process.platform}: its cases ask /proc and use networks of their own. Run it in a virtual machine or a container.`,
    );
  }
  const kept = path.join(cacheFolder(), 'holdfast-dapr-suite', VERSION);
  const folder = path.join(kept, 'source');
  return { folder, kept };
}

/** Fetches it where it is not there yet. */
export function fetchDapr({ folder, kept }: DaprSource): void {
  checkGo(OLDEST_GO);
  if (existsSync(folder)) return;
  mkdirSync(kept, { recursive: true });
  fetchSource(kept, folder);
}

/** Compiles the tests of one folder of it. @throws Error; what go said is on the terminal. */
export function compileTests(
  { folder }: DaprSource,
  tests: string,
  executable: string,
  ...flags: readonly string[]
): void {
  // A build that is cut off must not look whole.
  const unfinished = `${executable}.unfinished`;
  const how = ['-mod=mod', '-buildvcs=false', ...flags, '-o', unfinished];
  const compiled = go(folder, 'inherit', 'test', '-c', ...how, tests);
  if (compiled.status !== 0) {
    throw new Error(
      `The suite does not compile (go ended with ${compiled.status}); what go said is above. ${ON_NETWORK} It needs some 3 GB of disk in all; \`go clean -cache\` makes room.`,
    );
  }
  renameSync(unfinished, executable);
}

/** Where a module that it needs was unpacked. */
export function moduleFolder({ folder }: DaprSource, module: string): string {
  const { stdout } = go(folder, 'pipe', 'list', '-mod=mod', '-m', '-f', '{{.Dir}}', module);
  const found = stdout.trim();
  if (found === '') throw new Error(`${module} is not there; what go said is above. ${ON_NETWORK}`);
  return found;
}

const ON_NETWORK =
  'Modules come from the proxies of `go env GOPROXY`: set GOPROXY to one that can be reached from here.';

function fetchSource(kept: string, source: string): void {
  console.log(`fetching ${MODULE}@${VERSION} …`);
  const { stdout } = go(kept, 'pipe', 'mod', 'download', '-json', `${MODULE}@${VERSION}`);
  const found = readAnswer(stdout);
  if (found.Dir === undefined) {
    throw new Error(
      `${MODULE}@${VERSION} cannot be fetched: ${found.Error ?? 'go said nothing'}. ${ON_NETWORK}`,
    );
  }
  // A copy that is cut off must not look whole.
  const unfinished = `${source}.unfinished`;
  rmSync(unfinished, { recursive: true, force: true });
  cpSync(found.Dir, unfinished, { recursive: true });
  makeWritable(unfinished);
  if (go(unfinished, 'inherit', 'mod', 'edit', `-replace=${REPLACED}`).status !== 0) {
    throw new Error(`${unfinished}/go.mod cannot be edited; what go said is above.`);
  }
  renameSync(unfinished, source);
}

/** What `go mod download -json` prints; nothing when it did not come to that. */
function readAnswer(stdout: string): { readonly Dir?: string; readonly Error?: string } {
  try {
    return JSON.parse(stdout) as { Dir?: string; Error?: string };
  } catch {
    return { Error: 'its message is above' };
  }
}

/** As the XDG specification says: a path that is empty or relative counts as none. */
function cacheFolder(): string {
  const given = process.env.XDG_CACHE_HOME ?? '';
  return path.isAbsolute(given) ? given : path.join(homedir(), '.cache');
}

function go(cwd: string, stdout: 'inherit' | 'pipe', ...args: readonly string[]) {
  // Without C there is nothing more to install; a workspace of the user's is not ours.
  const env = { ...process.env, CGO_ENABLED: '0', GOWORK: 'off' };
  const stdio = ['ignore', stdout, 'inherit'] as const;
  const ran = spawnSync('go', args, { cwd, env, stdio: [...stdio], encoding: 'utf8' });
  return { status: ran.status, stdout: ran.stdout ?? '' };
}

/** The module cache is read-only. */
function makeWritable(folder: string): void {
  chmodSync(folder, 0o755);
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const at = path.join(folder, entry.name);
    if (entry.isDirectory()) makeWritable(at);
    else if (entry.isFile()) chmodSync(at, statSync(at).mode | 0o200);
  }
}
