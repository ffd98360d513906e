import type { ProcessInfo } from '../supervisor/process/process-info.ts';
import { textTable } from './text-table.ts';

/** `ps` for people: a row for each process under a row of titles. */
export function processTable(infos: readonly ProcessInfo[]): readonly string[] {
  return textTable(
    ['NAME', 'ROLE', 'STATE', 'PID', 'PORTS'],
    infos.map(({ name, role, state, pid, ports }) => [
      name,
      role,
      state,
      pid === null ? '-' : String(pid),
      Object.entries(ports)
        .map(([what, port]) => `${what}:${port}`)
        .join(' '),
    ]),
  );
}
