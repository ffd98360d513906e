import type { ResolvedSubscribeOptions } from '../consume/subscribe-options.ts';
import type { RawEntry } from './entries.ts';
import type { Held } from './in-hand.ts';
import type { Link } from './link.ts';
import { holderOf, SHARED, streamOf, TURNS } from './names.ts';
import type { ResolvedRedisStreamsOptions } from './options.ts';
import { CLAIM, ENTER, LEAVE, RENEW, TAKE, TIDY } from './scripts.ts';

/** Consumers that have nothing in hand and said nothing for so long are forgotten. */
const FORGET_MS = 600_000;

/** Entries that are this member's now. */
export interface Taken {
  readonly entries: readonly RawEntry[];
  readonly deliveries: readonly number[];
  /** Where the group stands, or where a claim goes on. */
  readonly last: string;
}

/** What a member says to Redis as one of its group. */
export class Membership {
  /** Members take turns, so that the order is kept over all of them. */
  readonly inTurn: boolean;
  readonly stream: string;
  readonly group: string;
  readonly #redis: ResolvedRedisStreamsOptions;
  readonly #holder: string;
  readonly #name: string;
  readonly #consumer: string;
  #entries = 0;
  #mine: string = SHARED;
  /** The group was there: made again, it must have what came since. */
  #joined = false;

  constructor(
    redis: ResolvedRedisStreamsOptions,
    topic: string,
    { concurrency, group }: ResolvedSubscribeOptions,
    unique: string,
  ) {
    this.#redis = redis;
    this.inTurn = concurrency === 1;
    this.group = group;
    this.stream = streamOf(topic, redis.keyPrefix);
    this.#holder = holderOf(topic, group, redis.keyPrefix);
    this.#name = `${redis.clientId}/${unique}`;
    this.#consumer = this.inTurn ? TURNS : this.#name;
  }

  get mismatch(): string {
    const [theirs, ours] = this.inTurn ? ['side by side', 'in turn'] : ['in turn', 'side by side'];
    return (
      `its members work ${theirs}, and this one would ${ours}: give all the same concurrency, ` +
      `or wait ${this.#redis.claimIdleMs} ms after the last of them has gone`
    );
  }

  /**
   * Makes the group where it is missing, and asks to be at work. Each time under a new name: what
   * was sent under an older one and comes late changes nothing.
   */
  async enter(link: Link): Promise<'kept' | 'taken' | 'wait' | 'other'> {
    const { claimIdleMs, deliverFrom } = this.#redis;
    this.#entries += 1;
    if (this.inTurn) this.#mine = `${this.#name}/${this.#entries}`;
    const first = deliverFrom === 'new' && !this.#joined ? '$' : '0';
    const answer = await link.run(
      ENTER,
      [this.stream, this.#holder],
      [this.group, first, this.#mine, `${this.#name}/`, this.#consumer, claimIdleMs, SHARED],
    );
    this.#joined = true;
    return String(answer) as 'kept' | 'taken' | 'wait' | 'other';
  }

  /** Up to `most`; what is `known` is in hand already. Undefined where we are not at work any more. */
  async take(
    link: Link,
    from: string,
    { known, most }: { readonly known: readonly Held[]; readonly most: number },
  ): Promise<Taken | undefined> {
    const answer = await link.run(
      TAKE,
      [this.stream, this.#holder],
      [
        ...[this.group, this.#consumer, this.#mine, this.#redis.claimIdleMs, most, from],
        ...known.map(({ id }) => id),
      ],
    );
    return answer === null ? undefined : takenOf(answer);
  }

  /** What others have held for too long; `last` is where to go on, `0-0` at the end. */
  async claim(link: Link, cursor: string, most: number): Promise<Taken> {
    const { claimIdleMs } = this.#redis;
    const args = [this.group, this.#consumer, claimIdleMs, cursor, most];
    return takenOf(await link.run(CLAIM, [this.stream], args));
  }

  /** Says that we are at work. Answers which of `held` are another's by now; undefined if the turn is. */
  async renew(link: Link, held: readonly Held[]): Promise<ReadonlySet<string> | undefined> {
    const ids = this.inTurn ? [] : held.map(({ id }) => id);
    const answer = await link.run(
      RENEW,
      [this.stream, this.#holder],
      [this.group, this.#consumer, this.#mine, this.#redis.claimIdleMs, SHARED, ...ids],
    );
    return answer === null ? undefined : new Set((answer as readonly Buffer[]).map(String));
  }

  async acknowledge(link: Link, ids: readonly string[]): Promise<void> {
    await link.send('XACK', [this.stream, this.group, ...ids]);
  }

  /** What is `held` is there for others at once, as if no handler had had it where none has. */
  async leave(link: Link, held: readonly Held[]): Promise<void> {
    const { claimIdleMs } = this.#redis;
    await link.run(
      LEAVE,
      [this.stream, this.#holder],
      [
        ...[this.group, this.#consumer, this.#mine, claimIdleMs, SHARED],
        ...held.flatMap(({ begun, deliveries, id }) => [id, deliveries - (begun ? 0 : 1)]),
      ],
    );
  }

  async tidy(link: Link): Promise<void> {
    await link.run(TIDY, [this.stream], [this.group, FORGET_MS, this.#consumer]);
  }
}

function takenOf(answer: unknown): Taken {
  const [entries, deliveries, last] = answer as readonly [
    readonly RawEntry[],
    readonly number[],
    Buffer,
  ];
  return { entries, deliveries, last: last.toString() };
}
