import type { Clock } from '@holdfast/core';
import type { Logger } from '@holdfast/telemetry/log';
import { openRedis, type RedisConnection } from '../../../redis/open-redis.ts';
import type { PubSubHandler } from '../../pubsub.ts';
import { claimAgain } from './claim-again.ts';
import { claimLeft } from './claim-left.ts';
import { type Membership, membership } from './membership.ts';
import type { Permits } from './permits.ts';
import { type Entry, entriesOf, type RawEntry } from './redis-entry.ts';
import type { RedisPubSubSettings } from './redis-pubsub-settings.ts';

export interface ConsumerOptions {
  readonly topic: string;
  readonly handler: PubSubHandler;
  /**
   * The handler has events wait for others: how long is for it to say. An event that `processingTimeout`
   * took from it would be handed to it again, and wait again, and never arrive.
   */
  readonly gathers: boolean;
  readonly settings: RedisPubSubSettings;
  /** For all but reading, which blocks its connection. */
  readonly redis: RedisConnection;
  /** Shared by the topics of a component. */
  readonly permits: Permits;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Before it tries again what failed since Redis was not there. */
const PAUSE_MS = 250;
/** How often in the time after which it counts as left behind what is held is kept from others: one miss does no harm. */
const KEEPS = 3;
/** Where `readTimeout` says never: a read returns now and then all the same. */
const BLOCK_MS = 3_000;

/** Takes the events of one topic from a group, and what others of the group left undone. */
export class RedisConsumer {
  readonly #options: ConsumerOptions;
  readonly #membership: Membership;
  readonly #stopping = new AbortController();
  /** In memory: waiting for a permit, or in the application. */
  readonly #held = new Set<string>();
  /** Of these what the application has had for too long: another may have it. */
  readonly #late = new Set<string>();
  readonly #working = new Set<Promise<void>>();
  #reader: RedisConnection | undefined;
  #loops: Promise<unknown> = Promise.resolve();
  #down = false;

  constructor(options: ConsumerOptions) {
    this.#options = options;
    this.#membership = membership(options.settings);
  }

  /** Resolves when the group is there, or when Redis is not and it has begun to wait for it. */
  async start(): Promise<void> {
    await this.#attempt(() => this.#createGroup());
    this.#loops = Promise.all([this.#read(), this.#reclaim(), this.#keep()]);
  }

  /** Takes nothing more; resolves when what it had begun has ended, and the rest is there for others. */
  async drain(): Promise<void> {
    this.stop();
    await this.#loops;
    await Promise.allSettled(this.#working);
    const untouched = [...this.#held];
    this.#held.clear();
    await this.#giveBack(untouched);
  }

  stop(): void {
    this.#stopping.abort();
    this.#reader?.close();
  }

  get #stopped(): boolean {
    return this.#stopping.signal.aborted;
  }

  async #createGroup(): Promise<void> {
    const { redis, settings, topic } = this.#options;
    await redis
      .run((client) => client.xgroup('CREATE', topic, settings.consumerId, '0', 'MKSTREAM'))
      .catch((error: Error) => {
        if (!error.message.startsWith('BUSYGROUP')) throw error;
      });
  }

  async #read(): Promise<void> {
    const { redis, settings, topic } = this.#options;
    const { consumerId, queueDepth } = settings;
    const { readTimeoutMs } = redis.settings;
    const blockMs = readTimeoutMs > 0 ? readTimeoutMs : BLOCK_MS;
    while (!this.#stopped) {
      await this.#attempt(async () => {
        this.#reader ??= await openRedis(redis.settings, {
          what: 'redis streams',
          commandTimeoutMs: 2 * blockMs,
        });
        // Stopped while it connected: nobody else closes it.
        if (this.#stopped) return this.#reader.close();
        const args = [
          'GROUP',
          consumerId,
          this.#membership.member,
          'COUNT',
          queueDepth,
          'BLOCK',
          blockMs,
        ];
        const answer = await this.#reader.run((client) =>
          client.callBuffer('XREADGROUP', ...args, 'STREAMS', topic, '>'),
        );
        const streams = answer as readonly (readonly [Buffer, readonly RawEntry[]])[] | null;
        for (const [, raw] of streams ?? []) await this.#take(entriesOf(raw));
      });
    }
  }

  /** Every now and then: what has been in somebody's hand for too long. */
  async #reclaim(): Promise<void> {
    const { clock } = this.#options;
    while (!this.#stopped) {
      await this.#attempt(() => this.#claimAll());
      await clock.sleep(this.#membership.lookMs, this.#stopping.signal).catch(() => {});
    }
  }

  /**
   * What waits here for its turn ages with Redis all the while, and another member of the group
   * would take it too: it would come twice without anybody's failure.
   */
  async #keep(): Promise<void> {
    const { clock } = this.#options;
    const everyMs = this.#membership.leftAfterMs / KEEPS;
    while (!this.#stopped) {
      await clock.sleep(everyMs, this.#stopping.signal).catch(() => {});
      const kept = [...this.#held].filter((id) => !this.#late.has(id));
      if (this.#stopped || kept.length === 0) continue;
      await this.#claimAgain(kept, 0);
    }
  }

  async #claimAll(): Promise<void> {
    const { redis, settings, topic } = this.#options;
    const { consumerId: group, queueDepth: count } = settings;
    for await (const left of claimLeft(redis, { topic, group, count, ...this.#membership })) {
      // What waits here for its turn is ours again, and still here only once.
      await this.#take(left.filter(({ id }) => !this.#held.has(id)));
      if (this.#stopped) return;
    }
  }

  /** Resolves when the last of them has begun: until then no more are asked for. */
  async #take(entries: readonly Entry[]): Promise<void> {
    const { permits } = this.#options;
    for (const { id } of entries) this.#held.add(id);
    for (const entry of entries) {
      if (this.#stopped) return;
      await permits.take();
      if (this.#stopped) {
        permits.give();
        return;
      }
      const work = this.#handle(entry).finally(() => {
        permits.give();
        this.#held.delete(entry.id);
        this.#late.delete(entry.id);
        this.#working.delete(work);
      });
      this.#working.add(work);
    }
  }

  async #handle({ id, message }: Entry): Promise<void> {
    const { clock, gathers, handler, log, redis, settings, topic } = this.#options;
    const late = new AbortController();
    const { limitMs } = this.#membership;
    const timer =
      limitMs !== undefined && !gathers
        ? clock.timer(limitMs, () => this.#isLate(id, late))
        : undefined;
    const acknowledge = () => redis.run((client) => client.xack(topic, settings.consumerId, id));
    try {
      const failure = await handler(message, late.signal).then(
        () => undefined,
        (error: Error) => error,
      );
      // One that is late may be in another's hand by now, and an end of the sidecar is no fault of the event's.
      const forgets = settings.ackOnError && !late.signal.aborted && !this.#stopped;
      if (failure !== undefined && !forgets) throw failure;
      await acknowledge();
      if (failure === undefined) return;
      const { component } = redis.settings;
      log.error(`Event ${id} of ${topic} in ${component} is given up: ${failure.message}`);
    } catch (error) {
      const why = (error as Error).message;
      log.warn(
        `Event ${id} of ${topic} in ${redis.settings.component} stays with the broker: ${why}`,
      );
      await this.#setAside(id);
    } finally {
      timer?.cancel();
    }
  }

  /** Its time began with its turn: however long it waited for that, another has it from now on. */
  #isLate(id: string, late: AbortController): void {
    this.#late.add(id);
    late.abort(new Error('processingTimeout is over'));
    if (this.#membership.failedTo === undefined) void this.#giveBack([id]);
  }

  /** What failed, where that must not come again. An end of the sidecar is no fault of the event's: then it does. */
  async #setAside(id: string): Promise<void> {
    const { failedTo } = this.#membership;
    if (failedTo === undefined) return;
    await (this.#stopped ? this.#giveBack([id]) : this.#claimAgain([id], 0, failedTo));
  }

  /** As if its time were over: the next who looks has it. */
  #giveBack(ids: readonly string[]): Promise<void> {
    return this.#claimAgain(ids, this.#membership.leftAfterMs);
  }

  #claimAgain(
    ids: readonly string[],
    idleMs: number,
    member = this.#membership.member,
  ): Promise<void> {
    const { redis, settings, topic } = this.#options;
    const of = { topic, group: settings.consumerId, member };
    return this.#attempt(() => claimAgain(redis, of, ids, idleMs));
  }

  /** Redis may be down, restarted without its data, or slow: all of that passes, and is said once. */
  async #attempt(work: () => Promise<void>): Promise<void> {
    const { clock, log, redis, topic } = this.#options;
    const { component } = redis.settings;
    try {
      await work();
      if (this.#down)
        log.info(`Redis of ${component} is back: events of ${topic} are taken again.`);
      this.#down = false;
    } catch (error) {
      if (this.#stopped) return;
      const { message } = error as Error;
      if (!this.#down) log.warn(`Events of ${topic} in ${component} cannot be taken: ${message}`);
      this.#down = true;
      if (message.startsWith('NOGROUP')) await this.#createGroup().catch(() => {});
      await clock.sleep(PAUSE_MS, this.#stopping.signal).catch(() => {});
    }
  }
}
