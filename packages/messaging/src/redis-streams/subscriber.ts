import { randomUUID } from 'node:crypto';
import type { Handling } from '../consume/giving-up.ts';
import { Hands } from '../consume/hands.ts';
import { KeptSubscription } from '../consume/kept-subscription.ts';
import { type ResolvedSubscribeOptions, tell } from '../consume/subscribe-options.ts';
import type { JoiningSubscription } from '../consume/subscriptions.ts';
import { Acknowledger } from './acknowledger.ts';
import { messageOf } from './entries.ts';
import { InHand } from './in-hand.ts';
import { type Link, openLink, placeOf } from './link.ts';
import { Membership, type Taken } from './membership.ts';
import type { ResolvedRedisStreamsOptions } from './options.ts';
import { reasonOf } from './refusals.ts';

/** How long one look at the stream waits for something new; a new one follows. */
const LOOK_MS = 5_000;

/** Members of a group want different things. */
class GroupMismatch extends Error {
  override readonly name = 'GroupMismatch';
}

/**
 * One member of a group, which is a consumer group of the topic's stream.
 *
 *     connect ──▶ enter ──▶ at work: take, renew, claim, tidy ──▶ leave
 *        ▲         ▲  │ wait: another has the turn    │
 *        │         └──┴───────── turn lost ───────────┤
 *        └───────────────── connection lost ──────────┘
 *
 * With a concurrency of 1 members take turns, since a consumer group hands its entries to whoever
 * asks and so keeps no order over members: one holds a key that lapses, and takes on what its
 * predecessor left before anything new. Else members work side by side, and each claims what
 * others have held for too long. What a member has in hand outlives its connection.
 */
export class RedisStreamsSubscriber implements JoiningSubscription {
  readonly #redis: ResolvedRedisStreamsOptions;
  readonly #options: ResolvedSubscribeOptions;
  readonly #topic: string;
  readonly #inHand: InHand;
  readonly #acknowledger: Acknowledger;
  readonly #member: Membership;
  readonly #kept: KeptSubscription;
  #hands: Hands;
  /** Ends being at work. */
  #forfeit: () => void = () => {};

  constructor(
    redis: ResolvedRedisStreamsOptions,
    topic: string,
    options: ResolvedSubscribeOptions,
    handler: Handling,
  ) {
    this.#redis = redis;
    this.#topic = topic;
    this.#options = options;
    this.#inHand = new InHand(redis.clock);
    this.#member = new Membership(redis, topic, options, randomUUID());
    this.#acknowledger = new Acknowledger(this.#inHand, this.#member);
    this.#hands = new Hands(handler, options, redis.clock);
    this.#kept = new KeptSubscription({
      clock: redis.clock,
      reconnectMs: redis.reconnectMs,
      subscribe: options,
      lossOf: (cause) => {
        const what = `the group "${options.group}" of "${topic}"`;
        return `${placeOf(redis)} no longer serves ${what}: ${reasonOf(cause)}.`;
      },
      // Members that want it otherwise stay.
      isFinal: (cause) => cause instanceof GroupMismatch,
    });
    this.#kept.begin((progress) => this.#consume(progress));
  }

  /** Resolves when its group is there; rejects where that is at work in another way, not where Redis is away. */
  get joined(): Promise<void> {
    return this.#kept.joined;
  }

  async close(): Promise<void> {
    await this.#kept.close();
    // Where there was no connection to take leave over.
    await this.#hands.end();
  }

  /** Resolves when the subscription is closed; rejects when the connection is lost. */
  async #consume(progress: () => void): Promise<void> {
    const link = await openLink(this.#redis, this.#options.group);
    try {
      this.#acknowledger.use(link, progress);
      await this.#serve(link);
    } finally {
      this.#acknowledger.use(undefined, progress);
      link.drop(new Error('it is no longer needed'));
    }
  }

  async #serve(link: Link): Promise<void> {
    const { claimIdleMs, clock } = this.#redis;
    const { closing: signal } = this.#kept;
    while (!signal.aborted) {
      if (this.#member.inTurn && this.#inHand.lapsed) await this.#stopHands();
      const state = await this.#member.enter(link);
      if (state === 'other') throw new GroupMismatch(this.#member.mismatch);
      this.#kept.hasJoined();
      if (state === 'wait') {
        const either = AbortSignal.any([signal, link.gone]);
        // Rejects when it is ended meanwhile, which the next round sees.
        await clock.sleep(Math.min(1_000, Math.floor(claimIdleMs / 3)), either).catch(() => {});
      } else if (state === 'taken' && this.#inHand.held.length > 0) {
        // Somebody else may have had the turn in between.
        await this.#stopHands();
      } else {
        await this.#acknowledger.all(link);
        await this.#work(link);
        if (this.#member.inTurn && !signal.aborted) await this.#stopHands();
      }
      if (link.gone.aborted) throw link.gone.reason;
    }
  }

  /** Begins nothing more of what is in hand; what is at work ends first, so that nothing overtakes it. */
  async #stopHands(): Promise<void> {
    const old = this.#hands;
    this.#hands = old.next();
    await old.end();
    this.#inHand.forget();
  }

  /** Resolves when we are no longer at work: closed, or the turn is another's. */
  async #work(link: Link): Promise<void> {
    const term = new AbortController();
    const stop = () => term.abort();
    this.#forfeit = stop;
    const over = AbortSignal.any([term.signal, link.gone]);
    const ending = AbortSignal.any([over, this.#kept.closing]);
    const failures: unknown[] = [];
    const fail = (error: unknown) => {
      failures.push(error);
      stop();
    };
    const caughtUp = Promise.withResolvers<void>();
    ending.addEventListener('abort', () => caughtUp.resolve(), { once: true });
    const parts = [
      this.#takeAll(link, ending, caughtUp.resolve).finally(stop),
      this.#renew(link, over).finally(stop),
      this.#tidy(link, over),
      ...(this.#member.inTurn ? [] : [this.#claim(link, ending, caughtUp.promise)]),
    ];
    await Promise.all(parts.map((part) => part.catch(fail)));
    if (failures.length > 0) throw failures[0];
  }

  /** `caughtUp` hears that nothing is left from before. */
  async #takeAll(link: Link, ending: AbortSignal, caughtUp: () => void): Promise<void> {
    const { claimIdleMs, clock, prefetch } = this.#redis;
    let bell: Link | undefined;
    const unblock = () => bell?.drop(ending.reason);
    ending.addEventListener('abort', unblock, { once: true });
    try {
      // What a predecessor left, or an answer that never came, before anything new.
      let from = '0-0';
      while (!ending.aborted) {
        await this.#inHand.fewerThan(Math.ceil(prefetch / 2), ending);
        const alone = from !== '>' && (await this.#alone(ending));
        if (ending.aborted) break;
        const untilMs = clock.now() + claimIdleMs;
        const most = alone ? 1 : prefetch - this.#inHand.count;
        const known = from === '>' ? [] : this.#inHand.held;
        const got = await this.#member.take(link, from, { most, known });
        if (got === undefined) return;
        const last = got.entries.at(-1);
        if (last !== undefined) {
          this.#give(got, untilMs);
          if (from !== '>') from = last[0].toString();
        } else if (from !== '>') {
          from = '>';
          caughtUp();
        } else {
          bell ??= await openLink(this.#redis, `${this.#options.group}/bell`);
          if (!ending.aborted) await this.#newer(bell, got.last, ending);
        }
      }
      if (this.#kept.closing.aborted && !link.gone.aborted) await this.#leave(link);
    } finally {
      ending.removeEventListener('abort', unblock);
      bell?.drop(new Error('it is no longer needed'));
    }
  }

  /** Resolves when the stream has something after that entry, or now and then. */
  async #newer(bell: Link, last: string, ending: AbortSignal): Promise<void> {
    const args = ['COUNT', 1, 'BLOCK', LOOK_MS, 'STREAMS', this.#member.stream, last];
    try {
      await bell.send('XREAD', args, LOOK_MS + this.#redis.timeoutMs);
    } catch (error) {
      if (!ending.aborted) throw error;
    }
  }

  async #leave(link: Link): Promise<void> {
    await this.#hands.end();
    await this.#acknowledger.all(link);
    await this.#member.leave(link, this.#inHand.held);
  }

  async #renew(link: Link, over: AbortSignal): Promise<void> {
    const { claimIdleMs, clock } = this.#redis;
    while (!over.aborted) {
      const untilMs = clock.now() + claimIdleMs;
      const gone = await this.#member.renew(link, this.#inHand.held);
      if (gone === undefined) return;
      this.#inHand.extend(untilMs, gone);
      await clock.sleep(Math.floor(claimIdleMs / 3), over).catch(() => {});
    }
  }

  /** Begins when what is ours already has been read, else that would find what is claimed just now, and count it. */
  async #claim(link: Link, ending: AbortSignal, caughtUp: Promise<void>): Promise<void> {
    await caughtUp;
    const { claimIdleMs, clock, prefetch } = this.#redis;
    let cursor = '0-0';
    while (!ending.aborted) {
      const alone = await this.#alone(ending);
      const room = Math.min(alone ? 1 : prefetch, prefetch - this.#inHand.count);
      if (room > 0 && !ending.aborted) {
        const untilMs = clock.now() + claimIdleMs;
        const got = await this.#member.claim(link, cursor, room);
        this.#give(got, untilMs);
        cursor = got.last;
        if (cursor !== '0-0') continue;
      }
      await clock.sleep(Math.min(1_000, Math.floor(claimIdleMs / 3)), ending).catch(() => {});
    }
  }

  /** Where messages are given up, what others had is taken one at a time: to take it counts, and it may end this process. */
  async #alone(ending: AbortSignal): Promise<boolean> {
    if (this.#options.giveUp === undefined) return false;
    await this.#hands.trials.over(ending);
    return true;
  }

  async #tidy(link: Link, over: AbortSignal): Promise<void> {
    const { clock, trimMs } = this.#redis;
    while (!over.aborted) {
      await clock.sleep(trimMs, over).catch(() => {});
      if (!over.aborted) await this.#member.tidy(link);
    }
  }

  #give(got: Taken, untilMs: number): void {
    for (const [at, [id, fields]] of got.entries.entries()) {
      const entryId = id.toString();
      const deliveries = got.deliveries[at] ?? 1;
      const held = this.#inHand.add(entryId, deliveries, untilMs);
      if (held === undefined) continue;
      const acknowledge = () => {
        this.#inHand.finish(held);
        this.#acknowledger.kick();
      };
      if (fields === null) {
        const error = new Error('Somebody deleted it from the stream before it was handled.');
        tell(this.#options, { kind: 'handler-failed', id: entryId, error });
        acknowledge();
        continue;
      }
      const message = messageOf(entryId, fields, this.#topic);
      this.#hands.give(message, acknowledge, {
        lane: this.#member.inTurn ? message.key : undefined,
        earlier: deliveries - 1,
        inLine: 1,
        ours: () => {
          const ours = this.#inHand.begin(held);
          // In turn nothing may be left out: all of it is read again.
          if (!ours && this.#member.inTurn) this.#forfeit();
          return ours;
        },
      });
    }
  }
}
