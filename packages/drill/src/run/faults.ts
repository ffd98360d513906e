import { type Clock, systemClock } from '@holdfast/core';
import { findProcess, isAlive, type ProcessControl } from './process-control.ts';

/** A process that was told to die and did not is no fault, and a drill on it proves nothing. */
const DEATH_LIMIT_MS = 10_000;

/**
 * Breaks things and remembers how to mend them. Whatever is still broken when
 * the drill ends, for whatever reason, `undoAll` mends, last fault first.
 */
export interface Faults {
  /** SIGKILL. Resolves with the pid it had, once the operating system no longer knows it. */
  kill(name: string): Promise<number>;
  start(name: string): Promise<void>;

  /** SIGSTOP: alive and silent. Connections to it stay open. */
  pause(name: string): Promise<number>;

  /** SIGCONT. */
  resume(name: string): Promise<void>;

  /** Any other fault, already in effect: `release` ends it. Returns a function that ends it once. */
  hold(what: string, release: () => Promise<void>): () => Promise<void>;

  /** What is broken now, in words. */
  active(): readonly string[];

  /** Ends every fault; says which it ended and which it could not. */
  undoAll(): Promise<readonly UndoneFault[]>;
}

export interface UndoneFault {
  readonly what: string;
  readonly error?: unknown;
}

interface Fault {
  readonly what: string;
  readonly mend: () => Promise<void>;
}

export function createFaults(control: ProcessControl, clock: Clock = systemClock): Faults {
  // A process is killed or paused once; of other faults two may have the same name. In the order of breaking.
  const broken = new Map<string | symbol, Fault>();
  const mend = async (key: string | symbol): Promise<void> => {
    await broken.get(key)?.mend();
    broken.delete(key);
  };

  const startAgain = async (name: string): Promise<void> => {
    const { pid } = await findProcess(control, name);
    if (pid === null) await control.start(name);
  };

  return {
    async start(name) {
      await startAgain(name);
      broken.delete(killed(name));
    },
    resume: (name) => mend(paused(name)),
    async kill(name) {
      const pid = await pidOf(control, name);
      const what = killed(name);
      broken.set(what, { what, mend: () => startAgain(name) });
      await control.kill(name);
      await gone(name, pid, clock);
      return pid;
    },
    async pause(name) {
      const what = paused(name);
      await mend(what);
      const pid = await pidOf(control, name);
      // A drill that dies must not leave a process stopped: this runs even then.
      const wake = () => {
        if (isAlive(pid)) process.kill(pid, 'SIGCONT');
      };
      process.once('exit', wake);
      const resume = async () => {
        process.removeListener('exit', wake);
        wake();
      };
      broken.set(what, { what, mend: resume });
      process.kill(pid, 'SIGSTOP');
      return pid;
    },
    hold(what, release) {
      const key = Symbol(what);
      broken.set(key, { what, mend: release });
      return () => mend(key);
    },
    active: () => [...broken.values()].map(({ what }) => what),
    async undoAll() {
      const undone: UndoneFault[] = [];
      for (const [key, { what }] of [...broken].reverse()) {
        try {
          await mend(key);
          undone.push({ what });
        } catch (error) {
          // The others still have to be undone; the report names this one.
          undone.push({ what, error });
        }
      }
      return undone;
    },
  };
}

/** Resolves once the operating system no longer knows the process. */
async function gone(name: string, pid: number, clock: Clock): Promise<void> {
  const deadlineMs = clock.now() + DEATH_LIMIT_MS;
  while (isAlive(pid)) {
    if (clock.now() > deadlineMs) {
      throw new Error(`${name} (pid ${pid}) is still alive ${DEATH_LIMIT_MS} ms after SIGKILL.`);
    }
    await clock.sleep(5);
  }
}

const killed = (name: string): string => `${name} killed`;
const paused = (name: string): string => `${name} paused`;

async function pidOf(control: ProcessControl, name: string): Promise<number> {
  const { pid } = await findProcess(control, name);
  if (pid === null) throw new Error(`${name} is down already, so there is nothing to break.`);
  return pid;
}
