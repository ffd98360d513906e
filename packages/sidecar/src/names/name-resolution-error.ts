/** A `nameResolution` that cannot be used, and why. */
export class NameResolutionError extends Error {
  readonly code = 'NAME_RESOLUTION';

  constructor(message: string) {
    super(message);
    this.name = 'NameResolutionError';
  }
}
