/** A key of a Configuration that cannot be in force: the sidecar does not start with it. */
export class ConfigurationError extends Error {
  readonly code = 'CONFIGURATION';

  /** `place` is `config.yaml: spec.key`, `why` says what is wrong and what to write. */
  constructor(place: string, why: string) {
    super(`${place} ${why}`);
    this.name = 'ConfigurationError';
  }
}
