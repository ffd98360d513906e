import type { Clock } from '@holdfast/core';
import type { ProcessEntry } from '../../run-file/run-file.ts';
import type { ProcessPlan } from '../process/managed-process.ts';
import { untilReady } from '../process/readiness.ts';
import { StartError } from '../start-error.ts';
import { isWrapper } from './wrapper.ts';

const READY_TIMEOUT_MS = 30_000;
const STOP_TIMEOUT_MS = 10_000;

/** What a database, a broker or the console of a run file becomes. */
export function planProcess(
  entry: ProcessEntry,
  dir: string,
  env: Readonly<Record<string, string>>,
  clock: Clock,
): ProcessPlan {
  const [file, ...args] = entry.command;
  if (file === undefined)
    throw new TypeError(`process.command of "${entry.name}" must not be empty.`);
  return {
    name: entry.name,
    role: entry.role,
    launch: () => ({ file, args, cwd: entry.dirPath ?? dir, env: { ...env, ...entry.env } }),
    ports: () => entry.ports ?? {},
    async untilReady(child) {
      const { ready, readyTimeoutMs: limitMs = READY_TIMEOUT_MS } = entry;
      if (ready === undefined) return;
      if (await untilReady(ready, { clock, limitMs, signal: child.ended })) return;
      const what = Object.entries(ready).map(([kind, value]) => `${kind} ${value}`);
      const message = `"${entry.name}" was not ready after ${limitMs} ms (${what}); raise readyTimeoutMs or see its lines.`;
      throw new StartError('NOT_READY', entry.name, message);
    },
    channel: false,
    wrapper: isWrapper(file),
    restart: entry.restart,
    stopSignal: (entry.stopSignal ?? 'SIGTERM') as NodeJS.Signals,
    stopTimeoutMs: entry.stopTimeoutMs ?? STOP_TIMEOUT_MS,
  };
}
