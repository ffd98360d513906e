import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';

const TICKS_PER_SECOND = 100;

/** A process under measurement. */
export interface Child {
  readonly name: string;
  readonly pid: number;
  /** User and system time so far, in microseconds. */
  cpuUs(): number;
  /** Resident memory now, in megabytes. */
  residentMb(): number;
  stop(): Promise<void>;
  /** SIGKILL, in the middle of whatever it does. */
  kill(): Promise<void>;
}

/** However this process ends, the others end with it. */
const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const each of running) each.kill('SIGKILL');
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));

/** Starts a program; `firstLine` is what it prints first, for programs that say something. */
export function startChild(
  name: string,
  command: readonly [string, ...string[]],
): { child: Child; firstLine: Promise<string> } {
  const [program, ...args] = command;
  const spawned = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  running.add(spawned);
  spawned.once('exit', () => running.delete(spawned));
  const lines: string[] = [];
  const firstLine = new Promise<string>((resolve, reject) => {
    let text = '';
    spawned.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      text = text.length < 65_536 ? text + chunk : text;
      if (text.includes('\n')) resolve(text.slice(0, text.indexOf('\n')));
    });
    spawned.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      if (lines.length < 50) lines.push(chunk);
    });
    spawned.once('error', reject);
    spawned.once('exit', (code) =>
      reject(new Error(`${name} ended with ${code}: ${lines.join('')}${text}`)),
    );
  });
  firstLine.catch(() => {});
  return { child: measured(name, spawned), firstLine };
}

function measured(name: string, spawned: ChildProcess): Child {
  const proc = (file: string) => readFileSync(`/proc/${spawned.pid}/${file}`, 'utf8');
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (spawned.exitCode !== null || spawned.signalCode !== null) return;
    const ended = new Promise((resolve) => spawned.once('exit', resolve));
    spawned.kill(signal);
    await ended;
  };
  return {
    name,
    pid: spawned.pid ?? 0,
    cpuUs() {
      const fields = proc('stat').split(') ')[1]!.split(' ');
      return ((Number(fields[11]) + Number(fields[12])) * 1e6) / TICKS_PER_SECOND;
    },
    residentMb: () => Number(/VmRSS:\s+(\d+)/.exec(proc('status'))![1]) / 1_024,
    async stop() {
      const impatient = setTimeout(() => spawned.kill('SIGKILL'), 8_000);
      await end('SIGTERM');
      clearTimeout(impatient);
    },
    kill: () => end('SIGKILL'),
  };
}

/** Asks `url` until it answers below 300; throws after 20 s. */
export async function answering(url: string): Promise<void> {
  for (let tries = 0; tries < 200; tries += 1) {
    const status = await fetch(url).then(
      async (response) => {
        await response.arrayBuffer();
        return response.status;
      },
      () => 0,
    );
    if (status >= 200 && status < 300) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`${url} did not answer within 20 s.`);
}
