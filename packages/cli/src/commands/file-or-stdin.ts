import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { FlagError } from '../flags/flag.ts';

/** What stands in the file that an option names, or on standard input for `-`. @throws FlagError where it cannot be read */
export async function fileOrStdin(
  name: string,
  { cwd, option, what }: { readonly cwd: string; readonly option: string; readonly what: string },
): Promise<Buffer> {
  if (name === '-') return buffer(process.stdin);
  try {
    return await readFile(resolve(cwd, name));
  } catch (error) {
    throw new FlagError(
      `${option} ${name}: ${(error as Error).message}. It is the file with ${what}, or - for standard input.`,
    );
  }
}
