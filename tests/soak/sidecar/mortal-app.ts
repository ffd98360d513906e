import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

/** An application that is killed again and again, and comes back at the same port. */
export class MortalApp {
  readonly port: number;
  #process: ChildProcess | undefined;

  constructor(port: number) {
    this.port = port;
  }

  /** Resolves when it listens. */
  async start(): Promise<void> {
    const program = join(import.meta.dirname, 'echo-app.ts');
    const child = spawn(process.execPath, ['--conditions=source', program, String(this.port)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#process = child;
    const ended = once(child, 'exit').then(() => {
      throw new Error(`The soak's application ended before it listened on port ${this.port}.`);
    });
    ended.catch(() => {});
    await Promise.race([once(child.stdout!, 'data'), ended]);
  }

  /** SIGKILL, in the middle of whatever it does. */
  async kill(): Promise<void> {
    const child = this.#process;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }
}
