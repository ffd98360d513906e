import type { Clock } from '@holdfast/core';

/** An entry that this member has taken. */
export interface Held {
  readonly id: string;
  /** Times Redis says it was delivered, this time included. */
  readonly deliveries: number;
  /** A handler has seen it. */
  begun: boolean;
  untilMs: number;
}

/**
 * What a member has taken and not acknowledged. It belongs to the member, not
 * to its connection, and until a moment: a process that stood still longer than
 * that begins nothing more of it, since others have it by then.
 */
export class InHand {
  readonly #clock: Clock;
  readonly #held = new Map<string, Held>();
  readonly #handled = new Set<string>();
  #waiting: (() => void)[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Including what was handled and is not acknowledged. */
  get count(): number {
    return this.#held.size + this.#handled.size;
  }

  get held(): readonly Held[] {
    return [...this.#held.values()];
  }

  /** Something of it may be another's by now. */
  get lapsed(): boolean {
    const nowMs = this.#clock.now();
    return this.held.some(({ untilMs }) => nowMs >= untilMs);
  }

  /** Handled, and Redis has not confirmed that it knows. */
  get handled(): readonly string[] {
    return [...this.#handled];
  }

  /** Undefined where it is here already: at work, waiting, or handled. */
  add(id: string, deliveries: number, untilMs: number): Held | undefined {
    if (this.#handled.has(id)) return undefined;
    const known = this.#held.get(id);
    if (known !== undefined) {
      known.untilMs = untilMs;
      return undefined;
    }
    const held = { id, deliveries, untilMs, begun: false };
    this.#held.set(id, held);
    return held;
  }

  /** Whether it may be handed over now; one that may not is forgotten here. */
  begin(held: Held): boolean {
    const ours = this.#held.get(held.id) === held && this.#clock.now() < held.untilMs;
    if (ours) held.begun = true;
    else this.#drop(held);
    return ours;
  }

  /** It is to be acknowledged. */
  finish({ id }: Held): void {
    this.#held.delete(id);
    this.#handled.add(id);
  }

  acknowledged(ids: readonly string[]): void {
    for (const id of ids) this.#handled.delete(id);
    this.#look();
  }

  /** All of it is ours until then, but what is `gone`. */
  extend(untilMs: number, gone: ReadonlySet<string> = new Set()): void {
    for (const held of this.#held.values()) {
      held.untilMs = gone.has(held.id) ? Number.NEGATIVE_INFINITY : untilMs;
    }
  }

  /** Nothing of it is ours any more, but to acknowledge. */
  forget(): void {
    this.#held.clear();
    this.#look();
  }

  /** Resolves when fewer than `count` are in hand, or `signal` aborts. */
  async fewerThan(count: number, signal: AbortSignal): Promise<void> {
    const look = () => this.#look();
    signal.addEventListener('abort', look, { once: true });
    while (this.count >= count && !signal.aborted) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    signal.removeEventListener('abort', look);
  }

  #drop(held: Held): void {
    if (this.#held.get(held.id) === held) this.#held.delete(held.id);
    this.#look();
  }

  #look(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const look of waiting) look();
  }
}
