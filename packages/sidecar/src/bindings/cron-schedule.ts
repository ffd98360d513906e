import { parseDuration } from '@holdfast/config';
import { Cron } from 'croner';
import { CRON_FIELDS, cronField } from './cron-field.ts';

/** When something happens again and again. */
export interface Schedule {
  /** The first moment after `afterMs`, both in milliseconds since 1970; undefined where none comes. */
  next(afterMs: number): number | undefined;
}

const ZONE = /^(?:CRON_)?TZ=(\S+)\s+/;
const NAMED: Readonly<Record<string, string>> = {
  '@yearly': '0 0 0 1 1 *',
  '@annually': '0 0 0 1 1 *',
  '@monthly': '0 0 0 1 * *',
  '@weekly': '0 0 0 * * 0',
  '@daily': '0 0 0 * * *',
  '@midnight': '0 0 0 * * *',
  '@hourly': '0 0 * * * *',
};
/**
 * Dapr's schedules: five fields, or six with seconds first, `@every 1m30s`,
 * `@hourly` and its like, all after `TZ=Europe/Berlin ` where another zone than
 * this machine's counts. With a day of the month and one of the week given,
 * either will do. A time that the clock leaps over comes right after the leap; one that it
 * passes twice comes once.
 *
 * @throws Error that says what is wrong with the text.
 */
export function cronSchedule(text: string): Schedule {
  const refuse = (why: string) => new Error(`invalid schedule format '${text}': ${why}`);
  const [zoned, timezone] = ZONE.exec(text) ?? [''];
  const rest = text.slice(zoned.length).trim();
  if (rest.startsWith('@every ')) return every(rest.slice('@every '.length).trim(), refuse);
  if (rest.startsWith('@') && NAMED[rest] === undefined) {
    throw refuse(`unrecognized descriptor: ${rest}`);
  }
  const fields = (NAMED[rest] ?? rest).split(/\s+/).filter((field) => field !== '');
  if (fields.length < 5 || fields.length > 6) {
    throw refuse(`expected 5 to 6 fields, found ${fields.length}: [${fields.join(' ')}]`);
  }
  const withSeconds = fields.length === 6 ? fields : ['0', ...fields];
  try {
    const written = withSeconds.map((field, at) => cronField(field, CRON_FIELDS[at]!));
    // A field of commas alone has no moment.
    if (written.includes('')) return { next: () => undefined };
    const cron = new Cron(written.join(' '), { paused: true, ...(timezone && { timezone }) });
    // A zone that does not exist is noticed only when a moment is asked for.
    cron.nextRun(new Date(0));
    return { next: (afterMs) => cron.nextRun(new Date(afterMs))?.getTime() };
  } catch (error) {
    throw refuse((error as Error).message);
  }
}

/** A timer cannot be shorter, and the application could not keep up. */
const LEAST_STEP_MS = 1;

function every(text: string, refuse: (why: string) => Error): Schedule {
  const parsed = /^[+-]?\d+$/.test(text) ? { fault: 'has no unit' } : parseDuration(text);
  if ('fault' in parsed)
    throw refuse(`failed to parse duration @every ${text}: it ${parsed.fault}`);
  if (parsed.ms < LEAST_STEP_MS) {
    throw refuse(`@every ${text} would never wait; write 1ms or more, such as @every 30s`);
  }
  return { next: (afterMs) => afterMs + parsed.ms };
}
