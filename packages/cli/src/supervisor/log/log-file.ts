import { createWriteStream, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { appendLines } from '../../append-lines.ts';
import type { LogDestination } from '../../run-file/run-file.ts';

/** Where the lines of one process go. */
export interface LineSink {
  write(line: string): void;
  close(): Promise<void>;
}

/**
 * Sends lines to the console, to a file, or to both, as Dapr's log destinations
 * say. A file that cannot be written is reported once and then done without: a
 * full disk must not end the app.
 */
export function lineSink(
  destination: LogDestination,
  file: { dir: string; name: string },
  toConsole: (line: string) => void,
): LineSink {
  if (destination === 'console') return { write: toConsole, close: async () => {} };

  mkdirSync(file.dir, { recursive: true });
  const path = join(file.dir, file.name);
  const stream = createWriteStream(path, { flags: 'a', mode: 0o600 });
  const append = appendLines(stream, (lines) => {
    append(`(${lines} lines are missing here: the disk was slower than they came)\n`);
  });
  let broken = false;
  stream.on('error', (error) => {
    if (!broken) toConsole(`(log file ${path} cannot be written: ${error.message})`);
    broken = true;
  });
  return {
    write(line) {
      if (!broken) append(`${line}\n`);
      if (destination === 'fileAndConsole') toConsole(line);
    },
    close: () =>
      new Promise((resolve) => {
        if (broken || stream.destroyed) resolve();
        else stream.end(() => resolve());
      }),
  };
}

/** Where Dapr keeps the logs of an app whose folder is `appDirPath`. */
export const logFolder = (appDirPath: string): string => join(appDirPath, '.dapr', 'logs');

/** `auth-service_app_20261121093000.log`, as Dapr names them; the time is UTC. */
export function logFileName(appId: string, kind: 'app' | 'daprd', wallMs: number): string {
  const stamp = new Date(wallMs).toISOString().replace(/\D/g, '').slice(0, 14);
  return `${appId}_${kind}_${stamp}.log`;
}
