import type { Random } from '@holdfast/core';

/** What a phase of kills is given. */
export interface PhaseSettings {
  /** So many kills before it ends. */
  readonly kills: number;
  /** Decides about moments and victims; the same seed decides the same, but the system's own timing. */
  readonly random: Random;
  /** Empty, and the phase's own. */
  readonly directory: string;
  /** Does `work` when all is over, whatever happened; the last first. */
  readonly defer: (work: () => Promise<unknown>) => void;
}

/** What is left in the books when a phase is over. */
export interface PhaseBooks {
  readonly kills: number;
  readonly accepted: number;
  /** Ids, each once. */
  readonly delivered: number;
  /** Deliveries beyond the first of an id. */
  readonly duplicates: number;
  readonly queued: number;
  readonly dead: number;
  /** Accepted, and neither delivered nor queued nor dead. */
  readonly lost: readonly string[];
  /** What else is wrong: out of order, damaged, counters that do not agree. */
  readonly wrong: readonly string[];
  /** What else is worth saying. */
  readonly note?: string;
}

/** Everything that was accepted is somewhere, and nothing else is wrong. */
export function balances({ lost, wrong }: PhaseBooks): boolean {
  return lost.length === 0 && wrong.length === 0;
}

export function describeBooks(phase: string, books: PhaseBooks): string {
  const { kills, accepted, delivered, duplicates, queued, dead, lost, wrong, note } = books;
  const verdict = balances(books) ? '✅' : '❌';
  const some = (what: string, list: readonly string[]) =>
    list.length === 0 ? '' : `\n   ${what}: ${list.slice(0, 5).join(' | ')}`;
  return `${verdict} ${phase.padEnd(10)} kills ${kills} · accepted ${accepted} · delivered ${delivered} · duplicates ${duplicates} · queued ${queued} · dead ${dead} · lost ${lost.length}${note === undefined ? '' : ` · ${note}`}${some('lost', lost)}${some('wrong', wrong)}`;
}
