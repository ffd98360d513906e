import { parseDuration } from '@holdfast/config';
import type { Clock } from '@holdfast/core';
import { waitedFor } from './waited-for.ts';

/** `spec.initTimeout` in milliseconds; undefined where there is none, or what is no duration, as in Dapr. */
export function initTimeoutMs(given: unknown): number | undefined {
  const parsed = typeof given === 'string' ? parseDuration(given) : undefined;
  return parsed === undefined || 'fault' in parsed || parsed.ms <= 0 ? undefined : parsed.ms;
}

/**
 * A component that is up within its time; `what` names it. One that comes up later is closed.
 *
 * @throws Error in daprd's words where its time is over
 */
export async function within<Open extends { close?(): unknown } | undefined>(
  limitMs: number | undefined,
  what: string,
  clock: Clock,
  opening: Promise<Open>,
): Promise<Open> {
  if (limitMs === undefined) return await opening;
  const over = new AbortController();
  const timer = clock.timer(limitMs, () => {
    over.abort(new Error(`init timeout for component ${what}`));
  });
  const close = async (late: Open) => {
    try {
      await late?.close?.();
    } catch {
      // Nobody has used it, and the log has said that it was too late.
    }
  };
  try {
    return await waitedFor(opening, over.signal, (late) => void close(late));
  } finally {
    timer.cancel();
  }
}
