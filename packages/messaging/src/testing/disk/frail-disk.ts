import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const SOURCE = fileURLToPath(new URL('./frail-disk.c', import.meta.url));

/** What a frail disk does to the process that is started with it. */
export interface Frailty {
  /** Writes and flushes under it are watched; absolute, without links in it. */
  readonly directory: string;
  readonly journal: string;
  /** SIGKILL at this write or flush, counted from 1: before it, when half is written, or after it. */
  readonly kill?: { readonly at: number; readonly how: 'before' | 'half' | 'after' };
  /** From that flush or write on so many fail. */
  readonly fault?: {
    readonly kind: 'sync' | 'write';
    readonly from: number;
    readonly count: number;
    readonly errno: 'EIO' | 'ENOSPC' | 'EROFS';
  };
}

const ERRNOS = { EIO: 5, ENOSPC: 28, EROFS: 30 } as const;

/** Compiles the library into `directory`; says why where it cannot (not Linux, no C compiler). */
export async function compileFrailDisk(directory: string): Promise<FrailDisk | string> {
  const library = join(directory, 'frail-disk.so');
  if (process.platform !== 'linux') return 'a frail disk takes Linux';
  try {
    await promisify(execFile)('cc', ['-shared', '-fPIC', '-O1', '-o', library, SOURCE, '-ldl']);
  } catch (error) {
    return `a frail disk takes a C compiler (cc): ${(error as Error).message.split('\n')[0]}`;
  }
  return new FrailDisk(library);
}

export class FrailDisk {
  readonly #library: string;

  constructor(library: string) {
    this.#library = library;
  }

  /** The environment of a process whose disk it is. */
  env({ directory, journal, kill, fault }: Frailty): NodeJS.ProcessEnv {
    return {
      ...process.env,
      LD_PRELOAD: this.#library,
      FRAIL_DIR: directory,
      FRAIL_JOURNAL: journal,
      ...(kill && { FRAIL_KILL: `${kill.at}:${kill.how}` }),
      ...(fault && {
        FRAIL_FAULT: `${fault.kind}:${fault.from}:${fault.count}:${ERRNOS[fault.errno]}`,
      }),
    };
  }
}
