import { nearest } from '@holdfast/config';

/** `; did you mean …?` or nothing, to end a sentence about an unknown word with. */
export function didYouMean(word: string, candidates: Iterable<string>, prefix = ''): string {
  const meant = nearest(word, candidates);
  return meant === undefined ? '' : `; did you mean \`${prefix}${meant}\`?`;
}
