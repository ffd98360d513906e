import type { Clock } from '@holdfast/core';
import type { AppSettings } from '../../run-file/app-settings.ts';
import { sidecarName } from '../../run-file/run-file.ts';
import { type LineSink, lineSink, logFileName, logFolder } from './log-file.ts';

/** Where the lines of all processes of a run go. */
export interface Sinks {
  write(name: string, line: string): void;
  close(): Promise<void>;
}

/** Opens the log files the apps ask for. Processes that are no app and no sidecar have only the console. */
export function openSinks(
  apps: readonly AppSettings[],
  clock: Clock,
  onLine: (name: string, line: string) => void,
): Sinks {
  const sinks = new Map<string, LineSink>();
  for (const app of apps) {
    const dir = logFolder(app.appDirPath);
    const open = (name: string, kind: 'app' | 'daprd') => {
      const destination = kind === 'app' ? app.appLogDestination : app.daprdLogDestination;
      const file = { dir, name: logFileName(app.appID, kind, clock.wallMs()) };
      sinks.set(
        name,
        lineSink(destination, file, (line) => onLine(name, line)),
      );
    };
    if (app.command !== undefined) open(app.appID, 'app');
    open(sidecarName(app.appID), 'daprd');
  }
  return {
    write: (name, line) => {
      const sink = sinks.get(name);
      if (sink === undefined) onLine(name, line);
      else sink.write(line);
    },
    close: async () => {
      await Promise.all([...sinks.values()].map((sink) => sink.close()));
    },
  };
}
