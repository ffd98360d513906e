import { type Clock, checkOneOf, systemClock } from '@holdfast/core';
import { jsonLine, textLine } from './line.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** What a line says beside its message; a `trace_id` and a `span_id` join it to its trace. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Writes lines. None of its methods ever throws: a log that fails harms no call. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;

  /**
   * A logger whose lines all carry `fields` as well; later fields win over earlier ones.
   * `level` in place of this one's, for lines that are wanted whatever else is kept quiet.
   */
  child(fields: LogFields, level?: LogLevel): Logger;
}

export interface LoggerOptions {
  /** Lines below it are not made. @default 'info' */
  readonly level?: LogLevel;
  /** JSON lines for machines, or `key=value` text for people; both as daprd writes them. @default false */
  readonly json?: boolean;
  /** Receives each line, its line break included. What it throws is swallowed. */
  readonly write: (line: string) => void;
  /** @default systemClock */
  readonly clock?: Pick<Clock, 'wallMs'>;
  /** On every line; daprd's are `app_id`, `instance` (host name), `scope` and `ver`. @default none */
  readonly fields?: LogFields;
}

const LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];

/** Makes a logger. It reads no environment and opens no file: `write` is where its lines go. */
export function createLogger(options: LoggerOptions): Logger {
  const { level = 'info', json = false, write, clock = systemClock, fields = {} } = options;
  checkOneOf('log.level', level, LEVELS);
  const format = json ? jsonLine : textLine;

  const loggerWith = (own: LogFields, least: LogLevel): Logger => {
    const threshold = LEVELS.indexOf(least);
    const log = (at: LogLevel) => (message: string, more?: LogFields) => {
      if (LEVELS.indexOf(at) < threshold) return;
      try {
        const line = { timeMs: clock.wallMs(), level: at, message, fields: { ...own, ...more } };
        write(`${format(line)}\n`);
      } catch {
        // The disk is full or the pipe is closed. There is no place left to say so.
      }
    };
    return {
      debug: log('debug'),
      info: log('info'),
      warn: log('warn'),
      error: log('error'),
      child: (more, its = least) => loggerWith({ ...own, ...more }, its),
    };
  };
  return loggerWith(fields, level);
}
