import { join } from 'node:path';
import { type Child, startChild } from '../../../bench/sidecar/child.ts';

/** An application that is killed again and again, and comes back at the same port. */
export class MortalApp {
  readonly port: number;
  #child: Child | undefined;

  constructor(port: number) {
    this.port = port;
  }

  /** Resolves when it listens. */
  async start(): Promise<void> {
    const program = join(import.meta.dirname, 'echo-app.ts');
    const { child, firstLine } = startChild("the soak's application", [
      process.execPath,
      ...['--conditions=source', program, String(this.port)],
    ]);
    this.#child = child;
    await firstLine;
  }

  /** SIGKILL, in the middle of whatever it does. */
  async kill(): Promise<void> {
    await this.#child?.kill();
  }
}
