import type { ProcessInfo } from '../supervisor/process-info.ts';

/** `ps` for people: a row for each process under a row of titles. */
export function processTable(infos: readonly ProcessInfo[]): readonly string[] {
  const rows = [
    ['NAME', 'ROLE', 'STATE', 'PID', 'PORTS'],
    ...infos.map(({ name, role, state, pid, ports }) => [
      name,
      role,
      state,
      pid === null ? '-' : String(pid),
      Object.entries(ports)
        .map(([what, port]) => `${what}:${port}`)
        .join(' '),
    ]),
  ];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}
