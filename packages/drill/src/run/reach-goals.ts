import type { Clock } from '@holdfast/core';
import type { Probe, WaitOptions } from './drill.ts';
import { pollUntil } from './poll-until.ts';

interface Goals {
  /** Of each goal that was reached, since `fromMs`. */
  readonly tookMs: Readonly<Record<string, number>>;
  /** Each goal that was not, with what was missing. */
  readonly missed: readonly string[];
}

/** Asks for all of them at the same time, until each is reached or its time is up. */
export async function reachGoals(
  goals: Readonly<Record<string, Probe>>,
  options: WaitOptions = {},
  env: { readonly clock: Clock; readonly signal: AbortSignal; readonly fromMs: number },
): Promise<Goals> {
  const asked = await Promise.all(
    Object.entries(goals).map(async ([goal, probe]) => {
      const { ok, missing = 'no reason given' } = await pollUntil(probe, options, env);
      return { goal, ok, missing, tookMs: env.clock.now() - env.fromMs };
    }),
  );
  const reached = asked.filter(({ ok }) => ok);
  const missed = asked.filter(({ ok }) => !ok);
  return {
    tookMs: Object.fromEntries(reached.map(({ goal, tookMs }) => [goal, tookMs])),
    missed: missed.map(({ goal, missing }) => `${goal} (${missing})`),
  };
}
