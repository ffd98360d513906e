import { type HeadersLike, headerOf } from './header.ts';

/**
 * Carries the time a request has left, in whole milliseconds. A duration and
 * not a moment: the clocks of two machines need not agree, and what the network
 * took is missing from it only in the caller's favour.
 */
export const DEADLINE_HEADER = 'holdfast-deadline-ms';

/** A day. What claims to have longer has no deadline worth the name. */
const LONGEST_MS = 86_400_000;

/**
 * How long the caller of this request will wait, for `execute({ deadlineMs })`;
 * undefined where it does not say, or says nonsense. 0 means that nobody waits
 * any more: refuse the request rather than work for nothing.
 */
export function deadlineFrom(headers: HeadersLike): number | undefined {
  const value = headerOf(headers, DEADLINE_HEADER);
  if (value === undefined || !/^\d{1,15}$/.test(value)) return undefined;
  return Math.min(Number(value), LONGEST_MS);
}

/**
 * The header for a request that has `remainingMs` left (`call.remainingMs`);
 * nothing where that is `Infinity`. Rounded down, so that the callee gives up first.
 */
export function deadlineHeader(remainingMs: number): Record<string, string> {
  if (!Number.isFinite(remainingMs)) return {};
  return { [DEADLINE_HEADER]: String(Math.max(0, Math.floor(remainingMs))) };
}
