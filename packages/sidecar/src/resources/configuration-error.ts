import type { Place } from './place.ts';

/** A key of a Configuration that cannot be in force: the sidecar does not start with it. */
export class ConfigurationError extends Error {
  readonly code = 'CONFIGURATION';

  /** `why` says what is wrong and what to write. */
  constructor(place: Place, why: string) {
    super(`${place} ${why}`);
    this.name = 'ConfigurationError';
  }
}
