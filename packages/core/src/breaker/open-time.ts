import type { ResolvedCircuitBreakerOptions } from './options.ts';

/** What makes one open time longer or shorter than another. */
export interface Opening {
  /** Openings before this one since it was last well. */
  readonly before: number;
  /** In [0, 1); 0.5 is the middle. */
  readonly chance: number;
  /** What the dependency asked for; 0: nothing. */
  readonly hintMs: number;
}

/**
 * How long the circuit stays open this time: `openMs · openFactor^before`, no
 * more than `openMaxMs`, give or take the jitter; or longer if the dependency
 * asked for it, up to `openMaxMs` as well.
 */
export function openTimeMs(
  { before, chance, hintMs }: Opening,
  { openMs, openFactor, openMaxMs, openJitter }: ResolvedCircuitBreakerOptions,
): number {
  const grownMs = Math.min(openMaxMs, openMs * openFactor ** before);
  const jitteredMs = grownMs * (1 + openJitter * (2 * chance - 1));
  return Math.max(jitteredMs, Math.min(hintMs, openMaxMs));
}
