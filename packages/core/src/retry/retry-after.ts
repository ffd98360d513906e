import { type Clock, systemClock } from '../clock.ts';
import { isPolicyError } from '../errors.ts';

/** An hour: a server that asks for more is not waited for within one call. */
const LONGEST_MS = 3_600_000;

/** HTTP's own form and the two old ones that a recipient must understand (RFC 9110 §5.6.7). */
const DATES: readonly RegExp[] = /* @__PURE__ */ forms();

function forms(): readonly RegExp[] {
  const month = '(?<month>Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)';
  const time = '(?<time>\\d\\d:\\d\\d:\\d\\d)';
  return [
    new RegExp(`^[A-Z][a-z]{2}, (?<day>\\d\\d) ${month} (?<year>\\d{4}) ${time} GMT$`),
    new RegExp(`^[A-Z][a-z]+day, (?<day>\\d\\d)-${month}-(?<year>\\d\\d) ${time} GMT$`),
    new RegExp(`^[A-Z][a-z]{2} ${month} (?<day>[ \\d]\\d) ${time} (?<year>\\d{4})$`),
  ];
}

/**
 * The wait a `Retry-After` header asks for, in milliseconds from 0 to an hour:
 * whole seconds, or a date in any of HTTP's three forms. Undefined where it is
 * neither. `nowWallMs` is `clock.wallMs()`; a date that has passed means 0.
 */
export function parseRetryAfter(value: string | undefined, nowWallMs: number): number | undefined {
  // Of what a header cannot be, nothing follows.
  const text = typeof value === 'string' ? value.trim() : '';
  if (/^\d+$/.test(text)) return Math.min(Number(text) * 1_000, LONGEST_MS);
  const atMs = parseDate(text);
  if (atMs === undefined) return undefined;
  return Math.min(Math.max(0, atMs - nowWallMs), LONGEST_MS);
}

function parseDate(text: string): number | undefined {
  for (const form of DATES) {
    const parts = form.exec(text)?.groups;
    if (parts === undefined) continue;
    // HTTP means GMT, said or not, where JavaScript would take the machine's zone.
    const atMs = Date.parse(`${parts.day} ${parts.month} ${parts.year} ${parts.time} GMT`);
    return Number.isNaN(atMs) ? undefined : atMs;
  }
  return undefined;
}

/** How an attempt ended, as `retry` tells its `delayHint`. */
export interface AttemptOutcome {
  readonly error?: unknown;
  readonly value?: unknown;
}

/**
 * Makes a `delayHint` for `retry`: the wait that an answer or an error asks for.
 *
 * It knows refusals of our policies and whatever else has `retryAfterMs`, and the
 * headers `retry-after-ms` and `retry-after` of a response, of an error, or of
 * the response that an error carries (`error.response`). 0 is a wait like any
 * other: at once. `retry` cuts what is longer than its `maxDelayMs`.
 */
export function retryAfterHint(
  clock: Pick<Clock, 'wallMs'> = systemClock,
): (outcome: AttemptOutcome) => number | undefined {
  return ({ error, value }) => {
    if (isPolicyError(error)) return error.retryAfterMs;
    const told = error ?? value;
    return saidBy(told, clock) ?? saidBy(fieldOf(told, 'response'), clock);
  };
}

function saidBy(told: unknown, clock: Pick<Clock, 'wallMs'>): number | undefined {
  const ownMs = fieldOf(told, 'retryAfterMs');
  if (typeof ownMs === 'number' && ownMs >= 0) return Math.min(ownMs, LONGEST_MS);
  const headers = fieldOf(told, 'headers');
  const exactMs = headerOf(headers, 'retry-after-ms')?.trim();
  if (exactMs !== undefined && /^\d+(\.\d+)?$/.test(exactMs)) {
    return Math.min(Number(exactMs), LONGEST_MS);
  }
  return parseRetryAfter(headerOf(headers, 'retry-after'), clock.wallMs());
}

/** The first value of a header, of `fetch`'s headers or of an object with names in any case. */
function headerOf(headers: unknown, name: string): string | undefined {
  if (typeof headers !== 'object' || headers === null) return undefined;
  const { get } = headers as { get?: unknown };
  const value =
    typeof get === 'function'
      ? get.call(headers, name)
      : Object.entries(headers).find(([key]) => key.toLowerCase() === name)?.[1];
  const first: unknown = Array.isArray(value) ? value[0] : value;
  return typeof first === 'string' || typeof first === 'number' ? String(first) : undefined;
}

function fieldOf(whole: unknown, name: string): unknown {
  return typeof whole === 'object' && whole !== null
    ? (whole as Readonly<Record<string, unknown>>)[name]
    : undefined;
}
