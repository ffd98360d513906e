import type { Clock } from '@holdfast/core';
import type { Logger } from '@holdfast/telemetry/log';
import type { Closing } from '../closing.ts';
import type { ResolvedSidecarOptions } from '../options.ts';

/** What every step of a start has at hand. */
export interface StartEnv {
  readonly options: ResolvedSidecarOptions;
  /** For `$VAR` in Configuration files and `envRef` in resources. */
  readonly variables: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly log: Logger;
  /** A step puts here how to close what it has opened, in the order of its opening. */
  readonly closing: Closing;
}

/** What keeps the sidecar from being ready, as its health says it; empty, it is. */
export type Unready = Set<'http' | 'runtime' | 'lingering' | 'stopping'>;
