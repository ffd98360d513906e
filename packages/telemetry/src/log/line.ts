import type { LogFields, LogLevel } from './logger.ts';
import { plain } from './plain.ts';

/** A line before it is written. */
export interface LogLine {
  readonly timeMs: number;
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: LogFields;
}

/** daprd's words: its library says `warning`. */
const DAPR_LEVEL: Record<LogLevel, string> = {
  debug: 'debug',
  info: 'info',
  warn: 'warning',
  error: 'error',
};

/** One JSON object, keys in alphabetical order, as daprd writes with `--log-as-json`. */
export function jsonLine(line: LogLine): string {
  return JSON.stringify(ordered(line));
}

/** `time="…" level=info msg="…" key=value`, as daprd writes otherwise. */
export function textLine(line: LogLine): string {
  const { time, level, msg, ...rest } = ordered(line);
  return Object.entries({ time, level, msg, ...rest })
    .map(([key, value]) => `${key}=${textValue(value)}`)
    .join(' ');
}

/** A field may not take the place of what the line itself says. */
function ordered({ timeMs, level, message, fields }: LogLine): Record<string, unknown> {
  const given = plain(fields) as Record<string, unknown>;
  const all: Record<string, unknown> = {
    type: 'log',
    ...given,
    time: new Date(timeMs).toISOString(),
    level: DAPR_LEVEL[level],
    msg: String(message),
  };
  return Object.fromEntries(
    Object.keys(all)
      .sort()
      .map((key) => [key, all[key]]),
  );
}

/** Words as they are; what has spaces, quotes or line breaks in quotes, so that a line stays one line. */
function textValue(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return /^[\w.\-/^+@]+$/.test(text) ? text : JSON.stringify(text);
}
