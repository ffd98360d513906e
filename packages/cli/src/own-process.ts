import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { isFresh } from '../bin/freshness.mjs';
import { sidecarEnv, sidecarNodeFlags } from '../bin/sidecar-node.mjs';

export { sidecarEnv };

/** What this process passes on to those it starts. */
export const thisProcess = {
  env: process.env as Readonly<Record<string, string>>,
  execPath: process.execPath,
  pid: process.pid,
} as const;

/** Whether this code runs as TypeScript from a checkout, and its children must too. */
const fromSource = import.meta.url.endsWith('.ts');

/**
 * The command line of `holdfastd`, without a launcher in between, so that the
 * pid is the sidecar's. In a checkout the built one is run where it is up to
 * date: without a TypeScript stripper in it a sidecar is 10 MB smaller.
 */
export function sidecarCommand(): readonly string[] {
  const built = new URL(
    fromSource ? '../dist/holdfastd-main.js' : './holdfastd-main.js',
    import.meta.url,
  );
  const asBuilt = !fromSource || isFresh(built);
  const main = asBuilt ? built : new URL('./holdfastd-main.ts', import.meta.url);
  return [
    process.execPath,
    ...(asBuilt ? [] : ['--conditions=source']),
    '--disable-warning=ExperimentalWarning',
    ...sidecarNodeFlags([], process.env.NODE_OPTIONS),
    fileURLToPath(main),
  ];
}

/** Asks the file system; the only question that settling an app's paths has. */
export function existsNow(path: string): boolean {
  return existsSync(path);
}
