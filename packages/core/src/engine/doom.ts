import type { Degraded } from '../policy.ts';
import type { Cut } from './stage.ts';

/** An outcome from elsewhere, for everything inside stage `index` of an operation. */
export interface Doom {
  readonly index: number;
  readonly value: unknown;
  readonly failed: boolean;
  /** Aborts what is running. */
  readonly reason: unknown;
  /** What the stages inside hear. */
  readonly cut: Cut;
}

/** Hears how a forked operation ended. */
export type Settle = (value: unknown, failed: boolean, degraded: Degraded | undefined) => void;
