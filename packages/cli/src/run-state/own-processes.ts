import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { procStat, STARTED } from '../supervisor/process/proc-stat.ts';

/** A process of this user, as the system shows it. */
export interface OwnProcess {
  readonly pid: number;
  /** Its program first. */
  readonly args: readonly string[];
  readonly startedWallMs: number;
  /** One of its variables, where the system shows them: on Linux. */
  readonly variable: (name: string) => string | undefined;
}

/** Linux's, on every machine that Node runs on. */
const TICKS_PER_SECOND = 100;

/** All processes of this user; none on Windows, where nobody can ask for them without a program of its own. */
export function ownProcesses(): readonly OwnProcess[] {
  if (process.platform === 'win32') return [];
  return process.platform === 'linux' ? fromProc() : fromPs();
}

function fromProc(): readonly OwnProcess[] {
  const uid = process.getuid?.();
  const bootMs = Number(/^btime (\d+)$/m.exec(readFileSync('/proc/stat', 'utf8'))?.[1]) * 1_000;
  return readdirSync('/proc').flatMap((name): readonly OwnProcess[] => {
    if (!/^\d+$/.test(name)) return [];
    const of = (file: string) => readFileSync(`/proc/${name}/${file}`, 'utf8');
    try {
      if (statSync(`/proc/${name}`).uid !== uid) return [];
      const args = of('cmdline').split('\0').slice(0, -1);
      const ticks = Number(procStat(name)[STARTED]);
      return [
        {
          pid: Number(name),
          args,
          startedWallMs: bootMs + (ticks * 1_000) / TICKS_PER_SECOND,
          variable: (wanted) => variableIn(of('environ'), wanted),
        },
      ];
    } catch {
      // It has ended between two looks, or shows nothing of itself.
      return [];
    }
  });
}

function variableIn(environment: string, name: string): string | undefined {
  const entry = environment.split('\0').find((one) => one.startsWith(`${name}=`));
  return entry?.slice(name.length + 1);
}

/** Arguments with spaces in them come apart there. */
function fromPs(): readonly OwnProcess[] {
  const uid = String(process.getuid?.());
  const given = ['-U', uid, '-o', 'pid=,lstart=,command='];
  const lines = execFileSync('ps', given, { encoding: 'utf8', env: { LC_ALL: 'C' } }).split('\n');
  return lines.flatMap((line): readonly OwnProcess[] => {
    const [, pid, started, command] = /^ *(\d+) +(.{24}) (.+)$/.exec(line) ?? [];
    if (pid === undefined || started === undefined || command === undefined) return [];
    const startedWallMs = Date.parse(started);
    return [
      { pid: Number(pid), args: command.split(' '), startedWallMs, variable: () => undefined },
    ];
  });
}
