import { createHash } from 'node:crypto';

/** What tells one mutant from all others, the same in every run over the same source. */
export interface MutantPlace {
  readonly fileName: string;
  readonly mutatorName: string;
  readonly replacement?: string | undefined;
  readonly location: { readonly start: { readonly line: number; readonly column: number } };
}

/**
 * Whether a mutant is in a sample of `share` (0 … 1) of all. Chance is a hash of seed and place, so
 * the same seed asks about the same mutants, in any order and over any choice of folders.
 */
export function inSample(mutant: MutantPlace, share: number, seed: number): boolean {
  const { line, column } = mutant.location.start;
  const place = [mutant.fileName, line, column, mutant.mutatorName, mutant.replacement ?? ''];
  const hash = createHash('sha256')
    .update(`${seed}\n${place.join('\n')}`)
    .digest();
  return hash.readUInt32BE(0) / 2 ** 32 < share;
}
