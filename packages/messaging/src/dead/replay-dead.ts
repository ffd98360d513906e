import type { Clock } from '@holdfast/core';
import { checkInteger } from '../check.ts';
import type { MessageStore } from '../store.ts';
import { chosenLetters, type DeadChoice } from './choose.ts';

export interface ReplayOptions {
  /** So many enter the queue each second, so that whoever was down is not flooded. @default 100 (1 … 100_000) */
  readonly perSecond?: number;
  /** Only counts, and changes nothing. @default false */
  readonly dryRun?: boolean;
  /** Stops after the lot in hand. What is left stays dead: the same call again goes on with it. */
  readonly signal?: AbortSignal;
  /** Hears how many have been replayed so far. */
  readonly onProgress?: (replayed: number) => void;
}

export interface ReplayReport {
  readonly replayed: number;
  /** Of a dry run: how many would be. */
  readonly chosen: number;
  /** Ended by its signal. */
  readonly stopped: boolean;
}

export const REPLAY_DEFAULTS = { perSecond: 100, dryRun: false } as const;

/** Puts the chosen letters back in the queue, at a rate. One that dies again meanwhile is left alone. */
export async function replayDead(
  store: MessageStore,
  choice: DeadChoice,
  given: ReplayOptions,
  { clock, changed }: { readonly clock: Clock; readonly changed: () => void },
): Promise<ReplayReport> {
  const { perSecond, dryRun, signal, onProgress } = { ...REPLAY_DEFAULTS, ...given };
  checkInteger('dead.replay.perSecond', perSecond, 1, 100_000);
  // Ten lots a second, or one letter at a time where the rate is lower.
  const lotSize = Math.max(1, Math.round(perSecond / 10));
  const begunMs = clock.now();
  let lot: string[] = [];
  let chosen = 0;
  let replayed = 0;

  const flush = async () => {
    if (lot.length === 0) return;
    const pauseMs = (lot.length / perSecond) * 1_000;
    const count = await store.replay(lot);
    lot = [];
    replayed += count;
    if (count > 0) changed();
    onProgress?.(replayed);
    await clock.sleep(pauseMs, signal).catch(() => {});
  };
  const sinceMs = () => clock.now() - begunMs;
  for await (const { message } of chosenLetters(store, choice, sinceMs)) {
    if (signal?.aborted) break;
    chosen += 1;
    if (dryRun) continue;
    lot.push(message.id);
    if (lot.length >= lotSize) await flush();
  }
  if (!signal?.aborted) await flush();
  return { replayed, chosen, stopped: signal?.aborted === true };
}
