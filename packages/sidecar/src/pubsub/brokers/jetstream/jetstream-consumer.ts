import type { Clock } from '@holdfast/core';
import { InHand } from '@holdfast/messaging/jetstream';
import type { Logger } from '@holdfast/telemetry/log';
import type { ConsumerInfo, JetStreamManager, JsMsg } from '@nats-io/jetstream';
import { createInbox, type NatsConnection } from '@nats-io/transport-node';
import type { PubSubHandler } from '../../pubsub.ts';
import { bindConsumer } from './bind-consumer.ts';
import { deliveredMetadata } from './jetstream-metadata.ts';
import type { JetStreamSettings } from './jetstream-settings.ts';
import { UnhandledSequences } from './unhandled-sequences.ts';

export interface JetStreamConsumerOptions {
  readonly topic: string;
  readonly handler: PubSubHandler;
  /** The handler has events wait for others, and the application has them together: no event waits for the one before. */
  readonly gathers: boolean;
  readonly settings: JetStreamSettings;
  /** A connection of its own, that does not come back by itself. */
  readonly connect: () => Promise<{ connection: NatsConnection; manager: JetStreamManager }>;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Before it tries again what failed since NATS was not there. */
const PAUSE_MS = 250;
/** How often it looks whether its consumer is still there, and still sends to it. */
const LOOK_MS = 15_000;
/** A failed event comes again after this, then after twice as long, and so on. */
const FIRST_WAIT_MS = 100;
const LONGEST_WAIT_MS = 10_000;
/** Of a consumer that says nothing else; NATS's own. */
const ACK_WAIT_MS = 30_000;

/** Takes the events of one topic from a consumer that pushes them, as Dapr's do. */
export class JetStreamConsumer {
  readonly #options: JetStreamConsumerOptions;
  readonly #stopping = new AbortController();
  readonly #working = new Set<Promise<void>>();
  #unhandled = new UnhandledSequences();
  /** By the stream's clock, when it got the last event that came. */
  #lastMs = 0;
  #tail: Promise<void> = Promise.resolve();
  #loop: Promise<void> = Promise.resolve();
  #down = false;
  /** Where events went over a connection that fell silent: to NATS it may be there for minutes yet, and has them all. */
  #silentSubject: string | undefined;

  constructor(options: JetStreamConsumerOptions) {
    this.#options = options;
  }

  /** Resolves when events come, or when NATS is not there and it has begun to wait for it. */
  async start(): Promise<void> {
    const first = Promise.withResolvers<void>();
    this.#loop = this.#run(first.resolve);
    await first.promise;
  }

  /** Takes nothing more; resolves when what it had begun has ended, and the rest is there for others. */
  async drain(): Promise<void> {
    this.stop();
    await this.#loop;
    // Where the connection was lost the application may still be at work.
    await Promise.allSettled(this.#working);
  }

  stop(): void {
    this.#stopping.abort();
  }

  async #run(tried: () => void): Promise<void> {
    const { clock, log, settings, topic } = this.#options;
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      try {
        await this.#consume(tried);
      } catch (error) {
        if (signal.aborted) break;
        const why = (error as Error).message;
        if (!this.#down) {
          log.warn(`Events of ${topic} in ${settings.component} cannot be taken: ${why}`);
        }
        this.#down = true;
      }
      tried();
      await clock.sleep(PAUSE_MS, signal).catch(() => {});
    }
    tried();
  }

  /** Resolves when it is stopped; rejects when the connection or the consumer is lost. */
  async #consume(ready: () => void): Promise<void> {
    const { connect, log, settings, topic } = this.#options;
    const { signal } = this.#stopping;
    const { connection, manager } = await connect();
    let inHand: InHand | undefined;
    const over = Promise.withResolvers<void>();
    const end = () => over.resolve();
    signal.addEventListener('abort', end, { once: true });
    // Stopped while it connected: nobody would say so again.
    if (signal.aborted) end();
    try {
      const from = (stream: string) => this.#whereIn(stream, manager);
      const found = await bindConsumer(manager, { topic, settings, from });
      const info = await unbound(manager, found, this.#silentSubject);
      this.#silentSubject = undefined;
      void this.#noticeSilence(connection, info);
      inHand = this.#inHandOf(info);
      const consumer = await manager
        .jetstream()
        .consumers.getPushConsumer(info.stream_name, info.name);
      const hand = inHand;
      const messages = await consumer.consume({ callback: (message) => this.#take(message, hand) });
      // Where another member made it anew meanwhile, it sends to where nobody of us listens.
      await this.#look(manager, info);
      if (this.#down) {
        log.info(`NATS of ${settings.component} is back: events of ${topic} are taken again.`);
      }
      this.#down = false;
      ready();
      await Promise.race([lost(connection), this.#lookNowAndThen(manager, info), over.promise]);
      messages.stop();
      await Promise.allSettled(this.#working);
      inHand.giveBack();
      await connection.flush();
    } finally {
      signal.removeEventListener('abort', end);
      inHand?.stop();
      await connection.close().catch(() => {});
    }
  }

  /** Where to go on. A stream that was made after the last event came is another one: all that it has is new, and counted anew. */
  async #whereIn(stream: string, manager: JetStreamManager): Promise<number | undefined> {
    const first = this.#unhandled.first();
    if (first === undefined) return undefined;
    // Who may not ask goes on by the number.
    const info = await manager.streams.info(stream).catch(() => undefined);
    if (info === undefined || Date.parse(info.created) <= this.#lastMs) return first;
    this.#unhandled = new UnhandledSequences();
    return 1;
  }

  /** Until the connection ends; it does when pings have had no answer. */
  async #noticeSilence(connection: NatsConnection, { config }: ConsumerInfo): Promise<void> {
    for await (const { type } of connection.status()) {
      if (type === 'staleConnection') this.#silentSubject = config.deliver_subject;
    }
  }

  #inHandOf({ config }: ConsumerInfo): InHand {
    const ackWaitMs = config.ack_wait === undefined ? ACK_WAIT_MS : config.ack_wait / 1_000_000;
    return new InHand(this.#options.clock, Math.max(1, Math.floor(ackWaitMs / 3)));
  }

  async #lookNowAndThen(manager: JetStreamManager, info: ConsumerInfo): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      // Rejects when it is stopped, which ends the loop.
      await this.#options.clock.sleep(LOOK_MS, signal).catch(() => {});
      if (!signal.aborted) await this.#look(manager, info);
    }
  }

  async #look(manager: JetStreamManager, info: ConsumerInfo): Promise<void> {
    const now = await manager.consumers.info(info.stream_name, info.name);
    if (now.config.deliver_subject === info.config.deliver_subject) return;
    throw new Error(`the consumer ${info.name} sends to somebody else now`);
  }

  #take(message: JsMsg, inHand: InHand): void {
    const { gathers, settings } = this.#options;
    const single = settings.single && !gathers;
    this.#unhandled.add(message.seq);
    this.#lastMs = Math.max(this.#lastMs, message.info.timestampNanos / 1_000_000);
    if (settings.ackPolicy !== 'none') inHand.add(message);
    const ahead = single ? this.#tail : Promise.resolve();
    const work = ahead.then(() => this.#handle(message, inHand));
    if (single) this.#tail = work;
    this.#working.add(work);
    void work.then(() => this.#working.delete(work));
  }

  async #handle(message: JsMsg, inHand: InHand): Promise<void> {
    // What came over a lost connection comes again over the next.
    if (this.#stopping.signal.aborted || inHand.stopped) return;
    const { handler, log, settings, topic } = this.#options;
    const { data, info, seq } = message;
    try {
      await handler({
        data: Buffer.from(data.buffer, data.byteOffset, data.byteLength),
        metadata: deliveredMetadata(message),
      });
      inHand.acknowledge(message);
      this.#unhandled.delete(seq);
    } catch (error) {
      inHand.postpone(message, waitMs(settings, info.deliveryCount));
      const why = (error as Error).message;
      log.warn(`Event ${seq} of ${topic} in ${settings.component} stays with the broker: ${why}`);
      // Unless it does not: `maxDeliver` is reached, or nothing is acknowledged.
      const { maxDeliver } = settings;
      const last = maxDeliver > 0 && info.deliveryCount >= maxDeliver;
      if (last || settings.ackPolicy === 'none') this.#unhandled.delete(seq);
    }
  }
}

/** As `ackWait` or `backOff` says; Dapr hands over again at once where neither does. */
function waitMs({ redeliverMs }: JetStreamSettings, deliveries: number): number {
  if (redeliverMs === undefined) {
    return Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(deliveries - 1, 20));
  }
  return redeliverMs[Math.min(deliveries, redeliverMs.length) - 1]!;
}

/** A consumer that is bound to a connection of ours which is silent sends to another place from here on. */
async function unbound(
  manager: JetStreamManager,
  found: ConsumerInfo,
  silentSubject: string | undefined,
): Promise<ConsumerInfo> {
  const { config, name, push_bound, stream_name } = found;
  const ours = silentSubject !== undefined && config.deliver_subject === silentSubject;
  if (!ours || push_bound !== true || config.deliver_group !== undefined) return found;
  return await manager.consumers.update(stream_name, name, { deliver_subject: createInbox() });
}

async function lost(connection: NatsConnection): Promise<never> {
  throw (await connection.closed()) ?? new Error('the connection was closed');
}
