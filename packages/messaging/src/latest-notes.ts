import type { LeaseNote } from './store.ts';

/** Of each lease what was noted last. */
export function latestNotes(notes: readonly LeaseNote[]): readonly LeaseNote[] {
  if (notes.length < 2) return notes;
  return [
    ...new Map(notes.map((note) => [`${note.lease.seq}/${note.lease.token}`, note])).values(),
  ];
}
