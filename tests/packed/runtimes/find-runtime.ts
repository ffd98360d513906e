import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** The npm packages that are nothing but the runtime's program, by platform, and where it is in them. */
const PACKAGES: Readonly<Record<string, Readonly<Record<Runtime, string>>>> = {
  'linux-x64': { deno: '@deno/linux-x64-glibc/deno', bun: '@oven/bun-linux-x64/bin/bun' },
  'linux-arm64': { deno: '@deno/linux-arm64-glibc/deno', bun: '@oven/bun-linux-aarch64/bin/bun' },
  'darwin-x64': { deno: '@deno/darwin-x64/deno', bun: '@oven/bun-darwin-x64/bin/bun' },
  'darwin-arm64': { deno: '@deno/darwin-arm64/deno', bun: '@oven/bun-darwin-aarch64/bin/bun' },
  'win32-x64': { deno: '@deno/win32-x64/deno.exe', bun: '@oven/bun-windows-x64/bin/bun.exe' },
};

export type Runtime = 'deno' | 'bun';

/**
 * The full path of a runtime in the version of `package-lock.json` beside this file, installed the
 * first time (200 MB for both, and no install script runs); or `undefined`, where there is none for
 * this platform or it cannot be fetched.
 */
export async function findRuntime(runtime: Runtime): Promise<string | undefined> {
  const program = PACKAGES[`${process.platform}-${process.arch}`]?.[runtime];
  if (program === undefined) return undefined;
  const path = join(import.meta.dirname, 'node_modules', program);
  if (!existsSync(path)) await install().catch((error: Error) => console.error(error.message));
  return existsSync(path) ? path : undefined;
}

const install = () =>
  promisify(execFile)('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], {
    cwd: import.meta.dirname,
    shell: process.platform === 'win32',
  });
