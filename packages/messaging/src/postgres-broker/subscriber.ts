import type { Handler, Subscription } from '../broker.ts';
import type { Handling } from '../consume/giving-up.ts';
import { Hands } from '../consume/hands.ts';
import { KeptSubscription } from '../consume/kept-subscription.ts';
import { oneSuspect } from '../consume/one-suspect.ts';
import { StoreUnavailableError } from '../errors.ts';
import type { IncomingMessage } from '../message.ts';
import { Doorbell } from '../relay/doorbell.ts';
import { type Claim, Hand } from './hand.ts';
import { GroupMismatch, Member, type MemberOptions, type TakeHand } from './member.ts';
import type { Notices } from './notices.ts';

/**
 * One member of a group. It works in turns: what was handled is acknowledged, what is in hand renewed,
 * and more claimed where there is room; then it waits until something is handled, or published, or
 * for a while. A turn that fails is an outage: the handlers go on with what they have for as long as
 * it is surely theirs, and what they have done is acknowledged when the database is back.
 */
export class PostgresSubscriber implements Subscription {
  readonly #options: MemberOptions;
  readonly #member: Member;
  readonly #hand: Hand;
  readonly #hands: Hands;
  readonly #bell: Doorbell;
  readonly #kept: KeptSubscription;
  readonly #deaf: () => void;
  /** Whether there may be messages that nobody has claimed. */
  #more = true;
  #lookedMs = 0;
  /**
   * So many it wants in hand: one more with each that succeeds, and no more than are handled at the
   * same time once a handler takes so long that others had better have the rest.
   */
  #most: number;
  #begins = 0;
  #renewedMs = 0;
  /** When the database last did all it was asked. */
  #heardMs: number;
  /** After closing: no handler is at work any more. */
  #idle = false;

  constructor(options: MemberOptions, notices: Notices, handler: Handling) {
    const { broker, subscribe, topic } = options;
    this.#options = options;
    this.#heardMs = broker.clock.now();
    this.#member = new Member(options);
    this.#hand = new Hand(this.#member.ordered);
    this.#bell = new Doorbell(broker.clock);
    this.#most = subscribe.concurrency * 2;
    this.#hands = new Hands(
      (message, unended) => this.#handle(message, (bare) => handler(bare, unended)),
      subscribe,
      broker.clock,
    );
    this.#kept = new KeptSubscription({
      clock: broker.clock,
      reconnectMs: broker.reconnectMs,
      subscribe,
      lossOf: (cause) => {
        const why = cause instanceof Error ? cause.message : String(cause);
        return `The group "${subscribe.group}" of "${topic}" is not served: ${why}`;
      },
      isFinal,
    });
    this.#kept.closing.addEventListener('abort', () => void this.#finish(), { once: true });
    this.#deaf = notices.hear(topic, () => {
      this.#more = true;
      this.#bell.ring();
    });
    this.#kept.begin((progress) => this.#consume(progress));
  }

  /** Resolves when its group is there; rejects where it cannot be joined, not where the database is away. */
  get joined(): Promise<void> {
    return this.#kept.joined;
  }

  async close(): Promise<void> {
    await this.#kept.close();
    await this.#hands.end();
    this.#deaf();
  }

  async #finish(): Promise<void> {
    await this.#hands.end();
    this.#idle = true;
    this.#bell.ring();
  }

  /** Resolves when the subscription is closed; rejects when the database is away. */
  async #consume(progress: () => void): Promise<void> {
    const { clock, claimMs, pollMs } = this.#options.broker;
    if (!(await this.#member.join())) this.#hand.empty();
    // Before anything is claimed: what a crashed server forgot, or what lapsed, is anybody's.
    await this.#acknowledge();
    const awayMs = clock.now() - this.#heardMs;
    // Claims are renewed at a third of their time: of a shorter outage they know nothing.
    if (awayMs >= claimMs / 2) await this.#member.spare(awayMs);
    this.#kept.hasJoined();
    this.#more = true;
    while (!this.#idle) {
      const beganMs = clock.now();
      await this.#turn();
      this.#heardMs = clock.now();
      const tookMs = this.#heardMs - beganMs;
      // It stood still, for everybody: what lapsed meanwhile is those who handled it still.
      if (tookMs >= claimMs / 2) await this.#member.spare(tookMs);
      progress();
      const wakeMs = Math.min(pollMs, this.#renewedMs + claimMs / 3 - clock.now());
      if (this.#hand.owes || (this.#more && this.#room > 0 && !this.#kept.closing.aborted)) {
        continue;
      }
      await this.#bell.wait(Math.max(1, wakeMs));
      if (clock.now() - this.#lookedMs >= pollMs) this.#more = true;
    }
    this.#hand.empty();
    await this.#turn();
  }

  /** At least half of what it holds, so that it asks for several at a time. */
  get #room(): number {
    if (this.#hands.trials.count > 0) return 0;
    const room = Math.min(this.#most - this.#hand.busy, this.#limit - this.#hand.size);
    return room >= this.#most / 2 ? room : 0;
  }

  get #limit(): number {
    const { broker, subscribe } = this.#options;
    return Math.max(broker.prefetch, subscribe.concurrency * 2);
  }

  /** All of it is tried; rejects with the first that failed. */
  async #turn(): Promise<void> {
    const { clock, claimMs } = this.#options.broker;
    const due = clock.now() - this.#renewedMs >= claimMs / 3;
    const shed = due && this.#shed();
    // Before more is claimed: it stands before what is still there.
    await this.#giveBack(shed || this.#idle);
    // Before what is handled is taken out of it: until that is acknowledged its claims are there.
    const { claimed, stuck } = this.#hand;
    const work = [this.#acknowledge()];
    if (this.#room > 0 && this.#more && !this.#kept.closing.aborted) {
      work.push(this.#take({ claimed, stuck }));
    }
    if (due) {
      this.#renewedMs = clock.now();
      work.push(this.#member.renew(this.#hand), this.#member.checkGroup());
    }
    const results = await Promise.allSettled(work);
    const failure = results.find((each) => each.status === 'rejected');
    if (failure !== undefined) {
      this.#renewedMs = 0;
      throw failure.reason;
    }
    if (this.#hand.size === 0 && !this.#hand.owes) this.#member.forgetOldNames();
  }

  /** Where nothing was begun for a while, what waits behind it goes back. */
  #shed(): boolean {
    const moved = this.#hand.begins !== this.#begins;
    this.#begins = this.#hand.begins;
    if (moved || this.#hand.size === 0) return false;
    this.#most = this.#options.subscribe.concurrency;
    this.#hand.shed();
    return true;
  }

  async #acknowledge(): Promise<void> {
    const done = this.#hand.takeDone();
    if (done.length === 0) return;
    try {
      await this.#member.acknowledge(done);
    } catch (error) {
      this.#hand.doneAgain(done);
      throw error;
    }
  }

  async #take(mine: TakeHand): Promise<void> {
    const room = this.#room;
    // What is published from now on rings again.
    this.#more = false;
    this.#lookedMs = this.#options.broker.clock.now();
    let claims: readonly Claim[];
    try {
      claims = await this.#member.take(room, mine);
    } catch (error) {
      this.#more = true;
      throw error;
    }
    if (claims.length === room) this.#more = true;
    const kept =
      this.#options.subscribe.giveUp === undefined
        ? claims
        : oneSuspect(claims, ({ deliveries }) => deliveries > 1);
    const ours = kept.filter((claim) => this.#hand.add(claim));
    this.#hand.decline(claims.slice(kept.length));
    try {
      // Before any is begun, which may end this process: they are as if nobody had had them.
      if (kept.length < claims.length) await this.#giveBack(false);
    } finally {
      for (const claim of ours) this.#give(claim);
      const look = () => {
        this.#more = true;
        this.#bell.ring();
      };
      if (this.#hands.trials.count > 0) void this.#hands.trials.over().then(look);
    }
  }

  async #giveBack(tell: boolean): Promise<void> {
    const back = this.#hand.back;
    if (back.length === 0) return;
    await this.#member.giveBack(back, tell);
    this.#hand.gaveBack(back);
  }

  #give(claim: Claim): void {
    const { key } = claim.message;
    const lane = this.#member.ordered ? key : undefined;
    // `Hands` copies what is enumerable; the symbol comes along and the handler does not see it.
    const message = { ...claim.message, [CLAIM]: claim };
    const earlier = claim.deliveries - 1;
    this.#hands.give(message, () => this.#bell.ring(), { lane, earlier, inLine: 1 });
  }

  async #handle(given: IncomingMessage, handler: Handler): Promise<void> {
    const { [CLAIM]: claim, ...message } = given as IncomingMessage & { [CLAIM]: Claim };
    if (!this.#hand.begin(claim, message.delivery, this.#options.broker.clock.now())) return;
    try {
      await handler(message);
    } catch (error) {
      this.#hand.failed(claim);
      this.#bell.ring();
      throw error;
    }
    this.#most = Math.min(this.#limit, this.#most + 1);
    if (this.#hand.succeeded(claim)) this.#more = true;
  }
}

const CLAIM = Symbol('claim');

/** Nothing that passes: an outage has a cause. */
function isFinal(error: unknown): boolean {
  if (error instanceof GroupMismatch) return true;
  return error instanceof StoreUnavailableError && error.cause === undefined;
}
