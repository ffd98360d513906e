import { type Clock, type Pipeline, pipeline } from '@holdfast/core';
import { type NewMessage, type OutboxStats, type Relay, relayPolicies } from '@holdfast/messaging';
import type { Logger } from '@holdfast/telemetry/log';
import type { Published, PubSub, PubSubMessage } from '../pubsub.ts';
import { type BehindPolicies, handOver } from './hand-over.ts';
import { HandOverLines } from './hand-over-lines.ts';
import { keptHeaders } from './kept-event.ts';
import { openOutboxFile } from './open-outbox-file.ts';
import type { OutboxSettings } from './outbox-settings.ts';
import { type Refusal, Refusals } from './refusals.ts';

/** A broker behind an outbox: a publication is answered when it is on disk. */
export interface OutboxPubSub extends PubSub {
  /** All of them are kept, or it rejects and none is. */
  publishAll(topic: string, messages: readonly PubSubMessage[]): Promise<Published>;
  /** Rejects while the file cannot be read. */
  stats(): Promise<OutboxStats>;
  /** Why it takes no events, as of the last one offered; undefined where it took that. */
  refusal(): Refusal | undefined;
}

export interface OutboxPubSubEnv {
  readonly clock: Clock;
  readonly log: Logger;
  /** The outbound policies of the component; undefined where the file has none. */
  readonly outbound: () => Pipeline | undefined;
}

/** A batch in the broker's hand when the sidecar ends by force may take this much longer. */
const LAST_BATCH_MS = 200;
const LOOK_MS = 20;
/** Events of one key are handed over in the order accepted: those of a topic, where the client gives none. */
const WHOLE_TOPIC = 'topic';
const LONGEST_KEY = 255;

/**
 * Puts an outbox before `broker`. `publish` resolves after the event is flushed to
 * disk; from there it is handed over in order, with growing waits, for as long as
 * it takes. Policies of the component stand around the hand-over, for that is
 * where the broker is asked; without any, a relay's own do.
 */
export async function outboxPubSub(
  broker: PubSub,
  settings: OutboxSettings,
  { clock, log, outbound }: OutboxPubSubEnv,
): Promise<OutboxPubSub> {
  const { component, path } = settings;
  const outbox = await openOutboxFile(settings, { clock, log });
  const closing = new AbortController();
  const name = `outbox ${component}`;
  const own = pipeline(name, relayPolicies(), { clock, registry: undefined });
  const behind: BehindPolicies = (work) =>
    (outbound() ?? own).execute(work, { signal: closing.signal });
  const passing = pipeline(name, [], { clock, registry: undefined });

  const lines = new HandOverLines(settings, log);
  let relay: Relay | undefined;
  const begin = () => {
    if (closing.signal.aborted) return;
    relay ??= outbox.relay(handOver(broker, behind, clock), {
      name,
      clock,
      pipeline: passing,
      graceMs: LAST_BATCH_MS,
      onEvent: lines.hear,
    });
  };
  const stats = await outbox.stats().catch(() => undefined);
  if (stats !== undefined && stats.queued > 0)
    log.info(`${stats.queued} events of ${component} wait in ${path} from before.`);
  // What a forgetful broker were given now, nobody would see.
  if (broker.forgetful !== true) begin();

  /** Until nothing waits, or the broker does not take it, or it is of topics on pause. */
  const emptied = async () => {
    const { outages } = lines;
    for (let looks = 0; lines.outages === outages && !closing.signal.aborted; looks += 1) {
      const left = await outbox.stats().catch(() => undefined);
      if (left === undefined || left.queued === 0) return;
      const idle = looks > 0 && relay?.inspect().state === 'idle';
      if (idle && left.paused.length > 0) return;
      await clock.sleep(LOOK_MS, closing.signal).catch(() => {});
    }
  };
  const refusals = new Refusals(component, { clock, log });
  const expires = broker.capabilities.includes('MESSAGE_TTL');
  const accept = async (topic: string, messages: readonly PubSubMessage[]) => {
    const nowWallMs = clock.wallMs();
    await refusals.hear(
      outbox.accept(messages.map((message) => keptMessage(topic, message, expires, nowWallMs))),
    );
  };
  return {
    capabilities: broker.capabilities,
    bulkIsEachs: broker.bulkIsEachs === true,
    stats: () => outbox.stats(),
    refusal: () => refusals.now,
    publish: (topic, message) => accept(topic, [message]),
    async publishAll(topic, messages) {
      // All of them or none.
      await accept(topic, messages);
      return messages.map(() => undefined);
    },
    subscribe: (topic, handler, details, gather) =>
      broker.subscribe(topic, handler, details, gather),
    subscribed() {
      broker.subscribed?.();
      begin();
    },
    pause: () => broker.pause?.(),
    async drain() {
      if (broker.forgetful === true) await relay?.stop();
      await broker.drain();
      // Only now: what the application could not take may have come in as a dead letter.
      if (broker.forgetful !== true && !lines.down) await emptied();
      await relay?.stop();
    },
    async close() {
      await relay?.stop();
      closing.abort(new Error('The sidecar ends.'));
      await outbox.close();
      await broker.close();
    },
  };
}

function keptMessage(
  topic: string,
  message: PubSubMessage,
  expires: boolean,
  nowWallMs: number,
): NewMessage {
  const key = message.metadata.partitionKey?.slice(0, LONGEST_KEY) || WHOLE_TOPIC;
  return { topic, body: message.data, headers: keptHeaders(message, expires, nowWallMs), key };
}
