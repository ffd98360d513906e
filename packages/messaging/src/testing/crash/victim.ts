import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** A process that is started, killed and started again. */
export class Victim {
  readonly #program: string;
  readonly #args: (run: number) => readonly string[];
  readonly #onLine: (line: string) => void;
  #child: ChildProcess | undefined;
  #run = 0;

  /** `program` is relative to this directory; `onLine` hears what it prints. */
  constructor(
    program: string,
    args: (run: number) => readonly string[],
    onLine: (line: string) => void = () => {},
  ) {
    this.#program = fileURLToPath(new URL(program, import.meta.url));
    this.#args = args;
    this.#onLine = onLine;
  }

  /** Resolves when it has printed its first line, that is, when it is at work. */
  async start(): Promise<void> {
    this.#run += 1;
    const args = ['--conditions=source', this.#program, ...this.#args(this.#run)];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#child = child;
    if (child.stdout === null) throw new Error('unreachable: stdout is a pipe');
    const lines = createInterface({ input: child.stdout });
    lines.on('line', this.#onLine);
    const ended = once(child, 'exit').then(() => {
      throw new Error(`${this.#program} ended before it was at work.`);
    });
    // Only the first of the two matters; a later end is no error.
    ended.catch(() => {});
    await Promise.race([once(lines, 'line'), ended]);
  }

  /** Sends a signal that does not end it: SIGSTOP, SIGCONT. */
  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }

  /** Resolves when it has ended by itself. */
  async ended(): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    await once(child, 'close');
  }

  /** Sends `signal` and waits for the end, and for the last of what it printed. Returns its exit code. */
  async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<number | undefined> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null)
      return undefined;
    const closed = once(child, 'close');
    child.kill(signal);
    const [code] = await closed;
    return code ?? undefined;
  }
}
