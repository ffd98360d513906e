import type { Known } from './check.ts';
import type { Clock } from './clock.ts';
import type { Listener } from './events.ts';
import type { Random } from './random.ts';
import type { Registry } from './registry.ts';

/** Everything a pipeline may ask of the world outside; given once, when it is built. */
export interface Env {
  /** @default systemClock */
  readonly clock: Clock;
  /** @default systemRandom */
  readonly random: Random;
  /** Hears this pipeline's events. @default nobody: reporting then costs nothing */
  readonly report: Listener | undefined;
  /** Where the pipeline is listed; `undefined` keeps it unlisted. @default the process's registry */
  readonly registry: Registry | undefined;
}

/** The names of its parts. */
export const ENV: Known<Env> = { clock: 0, random: 0, report: 0, registry: 0 };
