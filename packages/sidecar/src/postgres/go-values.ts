import { WrittenNumber } from '../go-json/exact-numbers.ts';

/**
 * A value as PostgreSQL writes it, as what Go's driver makes of it is in JSON (`writeJson`): numbers
 * to the last digit, moments as RFC 3339, bytes as Base64. A type that is not here is its text.
 *
 * @throws Error in Go's words for a number that JSON does not have.
 */
export function goValue(type: number, text: string | null): unknown {
  if (text === null) return null;
  const element = ELEMENTS.get(type);
  if (element !== undefined) return listOf(text).map((one) => goValue(element, one));
  return (READERS.get(type) ?? asText)(text);
}

type Reader = (text: string) => unknown;

const asText: Reader = (text) => text;
const asWritten: Reader = (text) => new WrittenNumber(text);

const asFloat: Reader = (text) => {
  const value = Number(text);
  if (Number.isFinite(value)) return value;
  const name = text === 'NaN' ? text : text.startsWith('-') ? '-Inf' : '+Inf';
  throw new Error(`json: unsupported value: ${name}`);
};

const MOMENT = /^(\d{4}-\d\d-\d\d)(?: (\d\d:\d\d:\d\d)(\.\d+)?([+-]\d\d(?::\d\d)?)?)?$/;

/** Go's driver has a number for each of them. */
const ENDLESS: Readonly<Record<string, number>> = { infinity: 1, '-infinity': -1 };

const asMoment: Reader = (text) => {
  if (Object.hasOwn(ENDLESS, text)) return ENDLESS[text];
  const [, date, time = '00:00:00', fraction = '', zone] = MOMENT.exec(text) ?? [];
  // Before Christ, or after 9999: there is no such time in JSON.
  if (date === undefined) return text;
  if (zone === undefined) return `${date}T${time}${fraction}Z`;
  return inZone(Date.parse(`${date}T${time}${zone.length === 3 ? `${zone}:00` : zone}`), fraction);
};

/** Whole seconds and their fraction, in this process's time zone, as Go's driver has it. */
function inZone(ms: number, fraction: string): string {
  const minutes = -new Date(ms).getTimezoneOffset();
  const local = new Date(ms + minutes * 60_000).toISOString().slice(0, 19);
  if (minutes === 0) return `${local}${fraction}Z`;
  const two = (part: number) => String(Math.trunc(part)).padStart(2, '0');
  const far = Math.abs(minutes);
  return `${local}${fraction}${minutes < 0 ? '-' : '+'}${two(far / 60)}:${two(far % 60)}`;
}

const MICROSECONDS = 1_000_000;

/** `hh:mm:ss.ffffff`, hours without end. */
function microseconds(text: string): number {
  const [, sign, hours, minutes, seconds] = /^([+-]?)(\d+):(\d\d):(\d\d(?:\.\d+)?)$/.exec(text)!;
  const whole = (Number(hours) * 60 + Number(minutes)) * 60 * MICROSECONDS;
  const all = whole + Math.round(Number(seconds) * MICROSECONDS);
  return sign === '-' ? -all : all;
}

const PARTS = /([+-]?\d+) (year|mon|day)s?|([+-]?\d+:\S+)/g;

/** `1 year 2 mons 3 days 04:05:06`, and as a server writes it that was told another style, its text. */
const asInterval: Reader = (text) => {
  if (text.replaceAll(PARTS, '').trim() !== '') return text;
  const read = { Microseconds: 0, Days: 0, Months: 0, Valid: true };
  for (const [, count, unit, time] of text.matchAll(PARTS)) {
    if (time !== undefined) read.Microseconds = microseconds(time);
    else if (unit === 'day') read.Days = Number(count);
    else read.Months += Number(count) * (unit === 'year' ? 12 : 1);
  }
  return read;
};

const asBytes = (hex: string): string => Buffer.from(hex, 'hex').toString('base64');

/** In the order of PostgreSQL's numbers, which never change. */
const READERS: ReadonlyMap<number, Reader> = new Map<number, Reader>([
  [16, (text) => text === 't'],
  [17, (text) => asBytes(text.slice('\\x'.length))],
  [18, (text) => text.charCodeAt(0) || 0],
  [20, asWritten],
  [21, asWritten],
  [23, asWritten],
  [26, asWritten],
  [114, (text) => JSON.parse(text)],
  [700, asFloat],
  [701, asFloat],
  [829, (text) => asBytes(text.replaceAll(':', ''))],
  [869, (text) => (text.includes('/') ? text : `${text}/${text.includes(':') ? 128 : 32}`)],
  [1082, asMoment],
  [1083, (text) => ({ Microseconds: microseconds(text), Valid: true })],
  [1114, asMoment],
  [1184, asMoment],
  [1186, asInterval],
  [1700, (text) => (!/^-?\d/.test(text) ? text : /[1-9]/.test(text) ? asWritten(text) : 0)],
  // Sixteen numbers: an array of bytes is no text to Go.
  [2950, (text) => [...Buffer.from(text.replaceAll('-', ''), 'hex')]],
  [3802, (text) => JSON.parse(text)],
]);

/** Lists, and what is in them. */
const ELEMENTS: ReadonlyMap<number, number> = new Map([
  [199, 114],
  [1000, 16],
  [1001, 17],
  [1005, 21],
  [1007, 23],
  [1009, 25],
  [1014, 1042],
  [1015, 1043],
  [1016, 20],
  [1021, 700],
  [1022, 701],
  [1115, 1114],
  [1182, 1082],
  [1185, 1184],
  [1231, 1700],
  [2951, 2950],
  [3807, 3802],
]);

/** `{a,"b\"c",NULL,{d}}`: lists in it are one with it, as to Go's driver; bounds before it (`[0:1]=`) say nothing of the values. */
function listOf(text: string): readonly (string | null)[] {
  const tokens = text.slice(text.indexOf('{')).matchAll(/"((?:[^"\\]|\\.)*)"|([^,{}"]+)/gs);
  return [...tokens].map(([, quoted, bare]) => {
    if (quoted !== undefined) return quoted.replaceAll(/\\(.)/gs, '$1');
    return bare === 'NULL' ? null : bare!;
  });
}
