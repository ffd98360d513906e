import { type Clock, isPolicyError, systemClock } from '@holdfast/core';
import { type HeadersLike, headerOf } from './header.ts';

/** An hour: a server that asks for more is not waited for within one call. */
const LONGEST_MS = 3_600_000;

const MONTH = '(?<month>Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)';
const TIME = '(?<time>\\d\\d:\\d\\d:\\d\\d)';

/** HTTP's own form and the two old ones that a recipient must understand (RFC 9110 §5.6.7). */
const DATES = [
  new RegExp(`^[A-Z][a-z]{2}, (?<day>\\d\\d) ${MONTH} (?<year>\\d{4}) ${TIME} GMT$`),
  new RegExp(`^[A-Z][a-z]+day, (?<day>\\d\\d)-${MONTH}-(?<year>\\d\\d) ${TIME} GMT$`),
  new RegExp(`^[A-Z][a-z]{2} ${MONTH} (?<day>[ \\d]\\d) ${TIME} (?<year>\\d{4})$`),
];

/**
 * The wait a `Retry-After` header asks for, in milliseconds from 0 to an hour:
 * whole seconds, or a date in any of HTTP's three forms. Undefined where it is
 * neither. `nowWallMs` is `clock.wallMs()`; a date that has passed means 0.
 */
export function parseRetryAfter(value: string | undefined, nowWallMs: number): number | undefined {
  const text = value?.trim() ?? '';
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

/** How an attempt ended, as core's `retry` tells its `delayHint`. */
export interface AttemptOutcome {
  readonly error?: unknown;
  readonly value?: unknown;
}

/**
 * Makes a `delayHint` for core's `retry`: the wait that the response's
 * `Retry-After` asks for, or that a refusal of another policy names.
 */
export function retryAfterHint(
  clock: Pick<Clock, 'wallMs'> = systemClock,
): (outcome: AttemptOutcome) => number | undefined {
  return ({ error, value }) => {
    if (isPolicyError(error)) return error.retryAfterMs;
    if (!hasHeaders(value)) return undefined;
    return parseRetryAfter(headerOf(value.headers, 'retry-after'), clock.wallMs());
  };
}

function hasHeaders(value: unknown): value is { readonly headers: HeadersLike } {
  return (
    typeof value === 'object' &&
    value !== null &&
    'headers' in value &&
    typeof value.headers === 'object' &&
    value.headers !== null
  );
}
