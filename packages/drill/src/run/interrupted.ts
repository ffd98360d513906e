/** Somebody ended the drill before it was over. What it had broken is mended; nothing is proven. */
export class InterruptedError extends Error {
  readonly code = 'DRILL_INTERRUPTED';

  constructor() {
    super('The drill was interrupted.');
    this.name = 'InterruptedError';
  }
}
