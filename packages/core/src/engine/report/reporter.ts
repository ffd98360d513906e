import type { Listener, PolicyEvent } from '../../events.ts';
import { letFail } from './let-fail.ts';

/** The listeners of a registry; empty, it costs the pipelines in it one look. */
export class ListenerHub {
  #listeners: readonly Listener[] = [];

  get listening(): boolean {
    return this.#listeners.length > 0;
  }

  add(listener: Listener): () => void {
    // An entry of its own, so that the same listener may be added twice and removed once.
    const entry: Listener = (event) => listener(event);
    this.#listeners = [...this.#listeners, entry];
    return () => {
      this.#listeners = this.#listeners.filter((other) => other !== entry);
    };
  }

  tell(event: PolicyEvent): void {
    for (const listener of this.#listeners) tell(listener, event);
  }
}

type Without<Event, Keys extends PropertyKey> = Event extends unknown ? Omit<Event, Keys> : never;

/** An event as the one who reports it knows it. */
export type Report = Without<PolicyEvent, 'pipeline' | 'call' | 'key'>;

/** Where one pipeline's events go. */
export class Reporter {
  readonly #pipeline: string;
  readonly #own: Listener | undefined;
  readonly #hub: ListenerHub | undefined;

  /** Of its family, where it is in one. */
  readonly #key: string | undefined;

  constructor(
    pipeline: string,
    own: Listener | undefined,
    hub: ListenerHub | undefined,
    key?: string,
  ) {
    this.#pipeline = pipeline;
    this.#own = own;
    this.#hub = hub;
    this.#key = key;
  }

  /** Whether anybody hears: ask before making a report. */
  get listening(): boolean {
    return this.#own !== undefined || this.#hub?.listening === true;
  }

  /** Tells of an event of call number `call`; 0 where there is no call. */
  report(call: number, report: Report): void {
    // A spread at the beginning copies an object at once, one further on name by name.
    const event = { ...report, pipeline: this.#pipeline, call } as PolicyEvent;
    if (this.#key !== undefined) Object.assign(event, { key: this.#key });
    if (this.#own !== undefined) tell(this.#own, event);
    this.#hub?.tell(event);
  }
}

function tell(listener: Listener, event: PolicyEvent): void {
  try {
    letFail(listener(event));
  } catch {
    // A broken listener must harm neither the call it hears of nor the other listeners.
  }
}
