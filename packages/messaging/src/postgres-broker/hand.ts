import type { Message } from '../message.ts';

/** A message that this member has claimed. */
export interface Claim {
  /** A big integer, as `pg` gives it. */
  readonly seq: string;
  readonly message: Message;
  /** How often it was handed over, this time included. */
  deliveries: number;
  /** Ours until then, by our own clock. */
  untilMs: number;
  begun: boolean;
}

/**
 * What a member has in hand, and what it owes the database. A message is handed over only while it is
 * ours. Where order is kept, a key whose first message failed, or was lost, keeps only that one here:
 * those behind it go back, so that a message that never succeeds takes one place and not all of them.
 */
export class Hand {
  readonly #ordered: boolean;
  readonly #held = new Map<string, Claim>();
  readonly #stuck = new Set<string>();
  /** Those that failed and wait to be tried again. */
  readonly #failing = new Set<Claim>();
  /**
   * Those that were lost while a handler had them, or was to have them again: a server that crashed forgets
   * whose they were. Claimed again they are the same; handled before that they are still to be acknowledged.
   */
  readonly #lost = new Map<string, Claim>();
  #begins = 0;
  #done: Claim[] = [];
  #back: Claim[] = [];

  constructor(ordered: boolean) {
    this.#ordered = ordered;
  }

  get size(): number {
    return this.#held.size;
  }

  /** Those that are being handled, or wait for nothing but that. */
  get busy(): number {
    return this.#held.size - this.#failing.size;
  }

  /** How often a message was begun; to see whether anything moves. */
  get begins(): number {
    return this.#begins;
  }

  get held(): readonly Claim[] {
    return [...this.#held.values()];
  }

  /** Keys of which no more is to be claimed now. */
  get stuck(): readonly string[] {
    return [
      ...new Set([...this.#stuck, ...this.#back.flatMap(({ message: { key } }) => key ?? [])]),
    ];
  }

  /** All that the database says we have, as far as we know. */
  get claimed(): readonly string[] {
    return [...this.#held.keys(), ...[...this.#done, ...this.#back].map(({ seq }) => seq)];
  }

  get owes(): boolean {
    return this.#done.length + this.#back.length > 0;
  }

  /** True where it is to be handed over; one that we have is only ours for longer. */
  add(claim: Claim): boolean {
    if (this.#isHere(claim)) return false;
    // Its key got stuck while it was on its way.
    if (this.#ordered && this.stuck.includes(claim.message.key ?? '')) {
      this.#back.push(claim);
      return false;
    }
    this.#held.set(claim.seq, claim);
    return true;
  }

  /** Whether it may be handled now. */
  begin(claim: Claim, delivery: number, nowMs: number): boolean {
    if (this.#held.get(claim.seq) !== claim) {
      if (this.#lost.get(claim.seq) === claim) this.#lost.delete(claim.seq);
      return false;
    }
    if (claim.untilMs <= nowMs) {
      // By the database's clock it may be ours for longer: what is behind it waits until it is not.
      this.lose(claim.seq);
      // No handler has it: claimed again it is to be handed over.
      this.#lost.delete(claim.seq);
      this.#back.push(claim);
      return false;
    }
    this.#begins += 1;
    this.#failing.delete(claim);
    claim.begun = true;
    claim.deliveries = delivery;
    return true;
  }

  failed(claim: Claim): void {
    const { key } = claim.message;
    if (this.#held.get(claim.seq) !== claim) return;
    this.#failing.add(claim);
    if (!this.#ordered || key === undefined) return;
    this.#stuck.add(key);
    this.#giveBack(key);
  }

  /** True where its key was stuck: there may be more of it now. */
  succeeded(claim: Claim): boolean {
    if (this.#held.get(claim.seq) !== claim) {
      if (this.#lost.get(claim.seq) !== claim) return false;
      this.#lost.delete(claim.seq);
      this.#done.push(claim);
      return false;
    }
    this.#held.delete(claim.seq);
    this.#done.push(claim);
    return claim.message.key !== undefined && this.#stuck.delete(claim.message.key);
  }

  renewed(seqs: ReadonlySet<string>, asked: readonly Claim[], untilMs: number): void {
    for (const { seq } of asked) {
      const claim = this.#held.get(seq);
      if (claim === undefined) continue;
      if (seqs.has(seq)) claim.untilMs = untilMs;
      else this.lose(seq);
    }
  }

  lose(seq: string): void {
    const claim = this.#held.get(seq);
    if (claim === undefined) return;
    this.#held.delete(seq);
    this.#failing.delete(claim);
    if (claim.begun) this.#lost.set(seq, claim);
    const { key } = claim.message;
    if (!this.#ordered || key === undefined) return;
    if (claim.begun) this.#stuck.delete(key);
    this.#giveBack(key);
  }

  /** They go back, but for those that are here already. */
  decline(claims: readonly Claim[]): void {
    for (const claim of claims) {
      if (!this.#isHere(claim)) this.#back.push(claim);
    }
  }

  /** What is to be acknowledged; call `doneAgain` where that failed. */
  takeDone(): readonly Claim[] {
    const done = this.#done;
    this.#done = [];
    return done;
  }

  doneAgain(claims: readonly Claim[]): void {
    this.#done.push(...claims);
  }

  /** What goes back. It keeps its keys stuck until `gaveBack`. */
  get back(): readonly Claim[] {
    return this.#back;
  }

  gaveBack(claims: readonly Claim[]): void {
    const gone = new Set(claims);
    this.#back = this.#back.filter((claim) => !gone.has(claim));
  }

  /** Everything goes back: nothing is being handled any more. */
  empty(): void {
    this.#back.push(...this.#held.values());
    this.#held.clear();
    this.#stuck.clear();
    this.#failing.clear();
    this.#lost.clear();
  }

  /** What no handler has had goes back. */
  shed(): void {
    for (const claim of this.#held.values()) {
      if (claim.begun) continue;
      this.#held.delete(claim.seq);
      this.#back.push(claim);
    }
  }

  /** Whether its message is here already: then that is ours for longer. */
  #isHere(claim: Claim): boolean {
    const known = this.#held.get(claim.seq) ?? this.#lost.get(claim.seq);
    if (known === undefined) return false;
    const same = known.message.id === claim.message.id;
    // After a backup was put back another message may be in that place: what was there is not to be acknowledged.
    if (!same) this.lose(claim.seq);
    this.#lost.delete(claim.seq);
    if (!same) return false;
    known.untilMs = claim.untilMs;
    this.#held.set(claim.seq, known);
    return true;
  }

  /** All but what a handler has. */
  #giveBack(key: string): void {
    for (const claim of this.#held.values()) {
      if (claim.begun || claim.message.key !== key) continue;
      this.#held.delete(claim.seq);
      this.#back.push(claim);
    }
  }
}

/** How often it was handed over, without this time where that came to nothing. */
export function deliveriesOf({ begun, deliveries }: Claim): number {
  return begun ? deliveries : deliveries - 1;
}
