import type { RelayEvent } from '@holdfast/messaging';
import type { Logger } from '@holdfast/telemetry/log';

/** Tells the log how events of `component` get from the file at `path` to their broker: each outage once. */
export class HandOverLines {
  readonly #component: string;
  readonly #path: string;
  readonly #log: Logger;
  #down = false;
  #outages = 0;

  constructor(
    { component, path }: { readonly component: string; readonly path: string },
    log: Logger,
  ) {
    this.#component = component;
    this.#path = path;
    this.#log = log;
  }

  /** Since the last outage nothing was handed over. */
  get down(): boolean {
    return this.#down;
  }

  /** How often the relay has found that the broker, or the file, cannot be used. */
  get outages(): number {
    return this.#outages;
  }

  readonly hear = (event: RelayEvent): void => {
    const [component, path, log] = [this.#component, this.#path, this.#log];
    switch (event.type) {
      case 'paused': {
        this.#outages += 1;
        if (this.#down) return;
        this.#down = true;
        const whose = event.why === 'store' ? 'file' : 'broker';
        const why = (event.error as Error).message;
        log.warn(`Events of ${component} wait in ${path}: its ${whose} cannot be used: ${why}`);
        return;
      }
      case 'published':
        if (this.#down) log.info(`The broker of ${component} takes events again.`);
        this.#down = false;
        return;
      case 'died':
        log.error(
          `Event ${event.id} of ${component} is a dead letter in ${path}: the broker will not take it: ${event.reason}`,
        );
        return;
      case 'lapsed':
        log.warn(
          `${event.messages} events of ${component} may arrive twice: their lease was over.`,
        );
    }
  };
}
