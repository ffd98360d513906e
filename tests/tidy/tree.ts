import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository's root. */
export const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

/** Every file git tracks or would track, as paths from the root: what a clone will hold. */
export function trackedFiles(): readonly string[] {
  const flags = ['ls-files', '--cached', '--others', '--exclude-standard', '--deduplicate'];
  const deleted = new Set(git('ls-files', '--deleted'));
  return git(...flags).filter((file) => !deleted.has(file));
}

/** A tracked file's text. */
export const text = (file: string): string => readFileSync(join(root, file), 'utf8');

function git(...args: string[]): string[] {
  const output = execFileSync('git', args, { cwd: root, encoding: 'utf8', maxBuffer: 2 ** 26 });
  return output.split('\n').filter((line) => line !== '');
}
