import { nearest } from '@holdfast/config';

/** ` (did you mean …?)`, or nothing, for a word that is none of those that are known. */
export function meant(word: string, known: Iterable<string>): string {
  const near = nearest(word, known);
  return near === undefined ? '' : ` (did you mean ${near}?)`;
}
