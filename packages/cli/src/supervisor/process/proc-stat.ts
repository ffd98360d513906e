import { readFileSync } from 'node:fs';

/** What Linux says of a process, from its state on: the first two fields are its pid and its name. @throws Error when there is none */
export function procStat(pid: number | string): readonly string[] {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The name in parentheses may hold spaces and parentheses.
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

/** When it began, in ticks since the system did: where `procStat` has it. */
export const STARTED = 19;
