import type { Degraded } from '../policy.ts';

/** An outcome from elsewhere, for everything inside stage `index` of an operation. */
export interface Doom {
  readonly index: number;
  readonly value: unknown;
  readonly failed: boolean;
  /** Aborts what is running. */
  readonly reason: unknown;
}

/** Hears how a forked operation ended. */
export type Settle = (value: unknown, failed: boolean, degraded: Degraded | undefined) => void;
