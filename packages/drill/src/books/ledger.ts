import { type ChildProcess, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { formatEntry, type LedgerEntry, parseLedger } from './ledger-entry.ts';

/** The client's ledger: what was asked and what was promised, kept by a process of its own. */
export interface Ledger {
  /** Where the entries are, one JSON document a line. */
  readonly path: string;

  /** The process that writes the file. */
  readonly pid: number;

  /** Resolves when the entry is on the disk; rejects with a `LedgerError` if that is not certain. */
  append(entry: LedgerEntry): Promise<void>;

  /** Every entry, read back from the file, never from memory. */
  read(): Promise<readonly LedgerEntry[]>;

  /** Lets the process write what it has and end. */
  close(): Promise<void>;
}

/** The ledger cannot take entries, so the drill can no longer prove anything and must stop. */
export class LedgerError extends Error {
  readonly code: 'LEDGER_GONE' | 'LEDGER_FULL';

  constructor(code: LedgerError['code'], message: string) {
    super(message);
    this.code = code;
    this.name = 'LedgerError';
  }
}

export interface LedgerOptions {
  /** File to append to; made if it is not there. Its directory must exist. */
  readonly path: string;

  /** Entries that may wait for the disk at once; further ones are refused. @default 100_000 */
  readonly maxWaiting?: number;
}

interface Waiting {
  readonly resolve: () => void;
  readonly reject: (error: LedgerError) => void;
}

/** Starts the ledger's process. Each append shares a flush with whatever else is waiting. */
export async function openLedger({ path, maxWaiting = 100_000 }: LedgerOptions): Promise<Ledger> {
  const child = await startProgram(path);
  const { stdin, stdout } = child;
  if (stdin === null || stdout === null) throw new Error('unreachable: spawned with pipes');

  const waiting: Waiting[] = [];
  let linesSafe = 0;
  let gone: LedgerError | undefined;
  const ended = new Promise<void>((resolve) => {
    child.once('exit', (code, signal) => {
      gone = new LedgerError(
        'LEDGER_GONE',
        `The ledger's process ${child.pid} ended (${signal ?? `status ${code}`}); ${waiting.length} entries for ${path} are not safe.`,
      );
      for (const entry of waiting.splice(0)) entry.reject(gone);
      resolve();
    });
  });
  // A write to a process that has just died. Its exit, above, rejects whatever was waiting.
  stdin.on('error', () => {});
  let text = '';
  stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
    const lines = text.split('\n');
    text = lines.pop() ?? '';
    const safe = Number(lines.at(-1) ?? linesSafe);
    for (const entry of waiting.splice(0, safe - linesSafe)) entry.resolve();
    linesSafe = safe;
  });

  return {
    path,
    pid: child.pid ?? 0,
    append(entry) {
      if (gone !== undefined) return Promise.reject(gone);
      if (waiting.length >= maxWaiting) {
        const message = `${maxWaiting} entries already wait for ${path}; slow the load down.`;
        return Promise.reject(new LedgerError('LEDGER_FULL', message));
      }
      return new Promise((resolve, reject) => {
        waiting.push({ resolve, reject });
        stdin.write(formatEntry(entry));
      });
    },
    read: async () => parseLedger(await readFile(path, 'utf8')),
    async close() {
      stdin.end();
      await ended;
    },
  };
}

/** The program beside this file: `.ts` when run from source, `.js` when built. */
function startProgram(path: string): Promise<ChildProcess> {
  const program = fileURLToPath(
    new URL(`./ledger-process${extname(import.meta.url)}`, import.meta.url),
  );
  const child = spawn(process.execPath, [program, path], { stdio: ['pipe', 'pipe', 'inherit'] });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('spawn', () => resolve(child));
  });
}
