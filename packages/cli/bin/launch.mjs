// Plain JavaScript for any Node: says what is missing where the rest could not even be parsed.
import { lstatSync, mkdirSync } from 'node:fs';
import * as nodeModule from 'node:module';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findBroughtNode, runUnder } from './brought-node.mjs';
import { isFresh } from './freshness.mjs';

const [major, minor] = process.versions.node.split('.').map(Number);

/**
 * Runs `name`-main: as built where that is up to date, else from source. Where
 * that takes other flags or another environment, this process becomes that Node (same pid, so
 * signals reach it, and no launcher stays in memory).
 */
export async function launch(name, bin, { flags, env }) {
  if (major < 22 || (major === 22 && minor < 18)) {
    const brought = findBroughtNode();
    if (brought !== undefined) return runUnder(brought);
    process.stderr.write(
      `${name}: Holdfast needs Node 22.18 or later, and this is ${process.version}; install it from your package manager, or run it with \`npx node@24\`.\n`,
    );
    process.exit(1);
  }
  const built = new URL(`../dist/${name}-main.js`, import.meta.url);
  const source = new URL(`../src/${name}-main.ts`, import.meta.url);
  const asked = process.execArgv.includes('--conditions=source');
  const fromSource = asked || !(foundFresh() || isFresh(built));
  const wanted = [
    ...(fromSource ? ['--conditions=source'] : []),
    '--disable-warning=ExperimentalWarning',
    ...flags,
  ].filter((flag) => !process.execArgv.includes(flag));

  if (wanted.length > 0 && typeof process.execve === 'function') {
    const { execArgv, execPath, argv, pid } = process;
    const args = [...execArgv, ...wanted, fileURLToPath(bin), ...argv.slice(2)];
    process.execve(
      execPath,
      [execPath, ...args],
      fromSource ? env : { ...env, [FOUND_FRESH]: String(pid) },
    );
  }
  // No execve (Windows): what can be had inside this process. Memory stays Node's own choice.
  if (wanted.includes('--conditions=source')) {
    nodeModule.registerHooks({
      resolve: (specifier, context, next) =>
        next(specifier, { ...context, conditions: [...context.conditions, 'source'] }),
    });
  }
  keepCompiled();
  await import((fromSource ? source : built).href);
}

/** Told to what this process becomes, so that a thousand files are looked at once and not twice. */
const FOUND_FRESH = 'HOLDFAST_FOUND_FRESH';

/** Whether it was told so, by itself: an environment is passed on to children, a pid is not. */
function foundFresh() {
  const told = process.env[FOUND_FRESH];
  delete process.env[FOUND_FRESH];
  return told === String(process.pid);
}

/**
 * Keeps compiled code (and TypeScript without its types) between starts, in the
 * folder `openStateHome` keeps, where nobody else can write: half the time to
 * start, a quarter of a sidecar's memory.
 */
function keepCompiled() {
  try {
    const home =
      process.env.HOLDFAST_STATE_HOME || join(tmpdir(), `holdfast-${userInfo().username}`);
    mkdirSync(home, { recursive: true, mode: 0o700 });
    const { uid, mode } = lstatSync(home);
    const ours = process.getuid === undefined || (uid === process.getuid() && (mode & 0o022) === 0);
    if (ours) nodeModule.enableCompileCache(join(home, 'code'));
  } catch {
    // Without it everything works as well, only later.
  }
}
