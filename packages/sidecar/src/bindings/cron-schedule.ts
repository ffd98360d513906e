import { parseDuration } from '@holdfast/config';
import { Cron } from 'croner';

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
/** Of seconds, minutes, hours, days, months, days of the week: the last, where steps from one on end. */
const LAST = [59, 59, 23, 31, 12, 6];
/** What a field may hold; other dialects' `L`, `W`, `#` and years are not in Dapr's. */
const FIELD = /^[\d*/,?-]+$|^[\d,/-]*(?:[A-Za-z]{3}[\d,/-]*)+$/;

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
  const fields = (NAMED[rest] ?? rest).split(/\s+/);
  if (fields.length < 5 || fields.length > 6) {
    throw refuse(`expected 5 to 6 fields, found ${rest === '' ? 0 : fields.length}`);
  }
  const withSeconds = fields.length === 6 ? fields : ['0', ...fields];
  for (const field of withSeconds) {
    if (!FIELD.test(field)) throw refuse(`failed to parse ${field}`);
  }
  const pattern = withSeconds.map((field, at) => openEnded(field, LAST[at]!)).join(' ');
  try {
    const cron = new Cron(pattern, { paused: true, ...(timezone && { timezone }) });
    // A zone that does not exist is noticed only when a moment is asked for.
    cron.nextRun(new Date(0));
    return { next: (afterMs) => cron.nextRun(new Date(afterMs))?.getTime() };
  } catch (error) {
    throw refuse((error as Error).message);
  }
}

/** `5/15` begins at 5 and goes on to the end of the field: `5-59/15`. */
function openEnded(field: string, last: number): string {
  return field.replaceAll(/(^|,)(\d+)\/(\d+)/g, `$1$2-${last}/$3`);
}

/** Counted in whole seconds, of which one is the least. */
function every(text: string, refuse: (why: string) => Error): Schedule {
  const parsed = /^[+-]?\d+$/.test(text) ? { fault: 'has no unit' } : parseDuration(text);
  if ('fault' in parsed)
    throw refuse(`failed to parse duration @every ${text}: it ${parsed.fault}`);
  const stepMs = Math.max(1_000, Math.floor(parsed.ms / 1_000) * 1_000);
  return { next: (afterMs) => afterMs + stepMs };
}
