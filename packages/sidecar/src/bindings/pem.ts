import { readFile } from 'node:fs/promises';

const PEM = /-----BEGIN [A-Z ]+-----/;

/** A certificate or key of a component's metadata: itself, or the path of its file. */
export async function pemOf(name: string, given: string): Promise<string> {
  if (PEM.test(given)) return given;
  try {
    return await readFile(given, 'utf8');
  } catch (error) {
    throw new Error(
      `provided "${name}" value is neither a valid file path or nor a valid pem encoded string: ${(error as Error).message}`,
    );
  }
}
