import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A copy of what a server keeps, owners and all, as an operator takes one of a server that is down. */
export class FolderBackup {
  readonly #folder: string;
  #copy: string | undefined;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async take(): Promise<void> {
    this.#copy ??= await mkdtemp(join(tmpdir(), 'holdfast-backup-'));
    await this.#mirror(this.#folder, this.#copy);
  }

  async putBack(): Promise<void> {
    if (this.#copy === undefined) throw new Error('unreachable: no backup was taken');
    await this.#mirror(this.#copy, this.#folder);
  }

  async remove(): Promise<void> {
    if (this.#copy !== undefined) await rm(this.#copy, { recursive: true, force: true });
  }

  async #mirror(from: string, to: string): Promise<void> {
    await rm(to, { recursive: true, force: true });
    await run('cp', ['-a', from, to]);
  }
}
