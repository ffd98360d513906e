import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Spent, spentBy } from './spent.ts';
import type { TestProcessTask, TestProcessVerdict } from './test-process.ts';

export type TestProcessEnd =
  | ({ readonly kind: 'ended' } & TestProcessVerdict)
  | { readonly kind: 'too-long' };

const LOOK_EVERY_MS = 250;

const MAIN = join(import.meta.dirname, 'test-process.ts');

/**
 * Runs the tests of one mutant in a process of its own; `mutant` undefined runs them unchanged. It may
 * take `limitMs`, and of that no more than `limit`, where the system says what a process has spent.
 */
export function runTestProcess(
  task: TestProcessTask,
  mutant: string | undefined,
  limitMs: number,
  limit: Spent = { busyMs: Infinity, idleMs: Infinity },
): Promise<TestProcessEnd> {
  const env = { ...process.env };
  // The runner of an outer `node --test` would otherwise be told of every test in here.
  delete env.NODE_TEST_CONTEXT;
  if (task.servers !== true) env.HOLDFAST_SERVERS = 'none';
  // What a server that was killed leaves behind goes with the sandbox.
  env.TMPDIR = join(process.cwd(), 'tmp');
  mkdirSync(env.TMPDIR, { recursive: true });
  if (mutant !== undefined) env.__STRYKER_ACTIVE_MUTANT__ = mutant;
  return new Promise((resolve, reject) => {
    const args = ['--conditions=source', MAIN, JSON.stringify(task)];
    // A group of its own: what the tests started ends with them, wherever they ended.
    const child = spawn(process.execPath, args, {
      env,
      stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
      detached: true,
    });
    let tooLong = false;
    let said = '';
    let stderr = '';
    child.stdio[3]!.on('data', (chunk: Buffer) => {
      said += chunk.toString('utf8');
    });
    child.stderr!.on('data', (chunk: Buffer) => {
      stderr = (stderr + chunk.toString('utf8')).slice(-2_000);
    });
    const end = () => killGroup(child.pid);
    const begunMs = performance.now();
    const look = setInterval(() => {
      const ageMs = performance.now() - begunMs;
      const spent = spentBy(child.pid!, ageMs) ?? { busyMs: 0, idleMs: 0 };
      tooLong = ageMs > limitMs || spent.busyMs > limit.busyMs || spent.idleMs > limit.idleMs;
      if (tooLong) end();
    }, LOOK_EVERY_MS);
    process.once('exit', end);
    child.once('error', reject);
    child.once('exit', end);
    child.once('close', () => {
      clearInterval(look);
      process.removeListener('exit', end);
      if (tooLong) return resolve({ kind: 'too-long' });
      const silent = {
        tests: 0,
        failure: { file: '', test: '', message: stderr || 'It crashed.' },
      };
      resolve({ kind: 'ended', ...(said === '' ? silent : (JSON.parse(said) as typeof silent)) });
    });
  });
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // Nobody is left in it.
  }
}
