import { realpath } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';

/**
 * Where a client's file name leads below `root`, which has no symbolic links in
 * it itself, past those on the way, as far as they lead to something. Dots cannot climb out, they
 * stop at the root; a link that leads out is refused.
 *
 * @throws Error for a name that leads out, or that no file can have.
 */
export async function confinedPath(root: string, name: string): Promise<string> {
  if (name.includes('\0')) throw new Error('invalid argument');
  // Joined to the top of everything first: what climbs higher than that stays there.
  const below = join(sep, name)
    .slice(1)
    .replace(/[\\/]+$/, '');
  const path = join(root, below);
  const real = await realOf(path);
  if (isBelow(root, real)) return real;
  throw new Error('it leads out of rootPath');
}

/** Without links, as far as it exists. */
async function realOf(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const above = dirname(path);
    if (code !== 'ENOENT' || above === path) return path;
    return join(await realOf(above), relative(above, path));
  }
}

function isBelow(root: string, path: string): boolean {
  return path === root || path.startsWith(root.endsWith(sep) ? root : root + sep);
}
