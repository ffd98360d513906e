import { type ChildProcess, spawn } from 'node:child_process';
import type { Clock } from '@holdfast/core';
import { eachLine } from '../log/lines.ts';
import type { Launch } from './launch.ts';
import { processIdentity, signalProcess } from './process-identity.ts';
import type { Exit } from './process-info.ts';

/** Lines kept to explain an early end with. */
const LAST_LINES = 8;

/** How long a pipe may stay open after its process has ended; grandchildren may hold it. */
const PIPE_LINGER_MS = 200;

/** One incarnation of a process: from its spawning to its end. */
export interface Child {
  readonly pid: number;
  /** Tells it from a later process with the same pid. */
  readonly identity: string | undefined;
  /** Never rejects. */
  readonly exited: Promise<Exit>;
  /** Aborts when it has ended. */
  readonly ended: AbortSignal;
  /** The last lines it wrote, complete once it has ended. */
  lastLines(): Promise<readonly string[]>;
  /** Does nothing where it is gone already. */
  signal(signal: NodeJS.Signals, group?: boolean): void;
  /** Whether others of its process group live on after it. */
  leftGroup(): boolean;
  /** Ends what is left of its process group. */
  sweep(clock: Clock): Promise<void>;
  /** The same at once and hard, for a last moment that cannot wait. */
  sweepNow(): void;
}

/**
 * Starts a program in a process group of its own, so that Ctrl-C reaches its
 * supervisor alone, who then ends things in order.
 *
 * @param onMessage hears what it sends over a channel that also tells it when
 *   its supervisor is gone; without it there is no channel
 * @returns the child, or a promise that rejects with the reason why there is none
 */
export function spawnChild(
  launch: Launch,
  clock: Clock,
  onLine: (line: string) => void,
  onMessage?: (message: unknown) => void,
): Child | Promise<never> {
  const child = spawn(launch.file, launch.args, {
    cwd: launch.cwd,
    env: launch.env,
    stdio: ['ignore', 'pipe', 'pipe', ...(onMessage === undefined ? [] : ['ipc' as const])],
    detached: process.platform !== 'win32',
    windowsHide: true,
  });
  const last: string[] = [];
  const note = (line: string) => {
    if (last.push(line) > LAST_LINES) last.shift();
    onLine(line);
  };
  if (child.stdout !== null) eachLine(child.stdout, note);
  if (child.stderr !== null) eachLine(child.stderr, note);
  if (onMessage !== undefined) child.on('message', onMessage);

  const over = new AbortController();
  const exited = new Promise<Exit>((resolve) =>
    child.once('exit', (code, signal) => {
      over.abort();
      resolve({ code, signal });
    }),
  );
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const { pid } = child;
  if (pid === undefined) return new Promise((_, reject) => child.once('error', reject));
  // A message that could not be sent: the end of the process says it all.
  child.on('error', () => {});

  const drained = exited.then(() => closePipes(child, closed, clock));
  return {
    pid,
    identity: processIdentity(pid),
    exited,
    ended: over.signal,
    lastLines: () => drained.then(() => last),
    signal(signal, group = false) {
      if (group || !over.signal.aborted) signalProcess(pid, signal, group);
    },
    leftGroup: () => isGroup && groupExists(pid),
    sweep: (whose) => sweepGroup(pid, whose),
    sweepNow: () => void (isGroup && signalProcess(pid, 'SIGKILL', true)),
  };
}

const isGroup = process.platform !== 'win32';

/** Waits for the last lines, but not for those who inherited the pipes. */
async function closePipes(child: ChildProcess, closed: Promise<void>, clock: Clock): Promise<void> {
  const patience = new AbortController();
  await Promise.race([closed, clock.sleep(PIPE_LINGER_MS, patience.signal).catch(() => {})]);
  patience.abort();
  child.stdout?.destroy();
  child.stderr?.destroy();
}

/** How long what is left of a group may take to end by itself. */
const SWEEP_MS = 1_000;

async function sweepGroup(pid: number, clock: Clock): Promise<void> {
  if (!isGroup || !signalProcess(pid, 'SIGTERM', true)) return;
  const beganMs = clock.now();
  while (clock.now() - beganMs < SWEEP_MS) {
    await clock.sleep(10);
    if (!groupExists(pid)) return;
  }
  signalProcess(pid, 'SIGKILL', true);
}

function groupExists(pid: number): boolean {
  return signalProcess(pid, 0, true);
}
