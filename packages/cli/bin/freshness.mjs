import { existsSync, readdirSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The packages whose code our two programs are. */
const PACKAGES = ['core', 'config', 'telemetry', 'messaging', 'sidecar', 'cli'];

/**
 * Whether a built program may be run in place of its source: always where there
 * is no source, and in a checkout when no source file is newer than it.
 */
export function isFresh(built) {
  if (!existsSync(built)) return false;
  const builtMs = statSync(built).mtimeMs;
  return PACKAGES.every((name) => {
    const source = new URL(`../../${name}/src/`, import.meta.url);
    return !existsSync(source) || newestMs(fileURLToPath(source)) <= builtMs;
  });
}

function newestMs(folder) {
  let newest = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    // Not `join`: this runs at each start of a program in a checkout.
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) newest = Math.max(newest, newestMs(path));
    else if (!entry.name.endsWith('.test.ts')) newest = Math.max(newest, statSync(path).mtimeMs);
  }
  return newest;
}
