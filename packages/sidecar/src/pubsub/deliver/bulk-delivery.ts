import { CLOUD_EVENTS, type Envelope } from '../envelope.ts';
import type { TopicSubscription } from '../subscribe/subscription.ts';
import type { BulkEntry } from './bulk-gatherer.ts';
import type { BulkDeliveryEntry } from './courier.ts';
import {
  type DeliveryOptions,
  type DeliveryStatus,
  deadLetterTopicOf,
  pathFor,
} from './delivery.ts';
import { DeliveryError } from './delivery-error.ts';
import { wantsRaw } from './received-event.ts';

/** How an entry ended: `Error` where the broker, or the dead letters, are to have it. */
type Ends = Map<string, DeliveryStatus | Error>;

/**
 * Hands many messages to the application at once, as Dapr does: those of one
 * path together, tried again by the inbound policies without those that were
 * taken. Resolves with the entries that the broker is to have back.
 */
export async function deliverBulk(
  subscription: TopicSubscription,
  entries: readonly BulkEntry[],
  options: DeliveryOptions,
): Promise<ReadonlyMap<string, Error>> {
  const { pubsub, topic } = subscription;
  const deadLetterTopic = deadLetterTopicOf(subscription);
  const { clock, log } = options;
  const begunMs = clock.now();
  const ends: Ends = new Map();
  const byPath = sorted(subscription, entries, clock.wallMs(), ends);
  await Promise.all(
    [...byPath].map(([path, some]) => offer(subscription, path, some, options, ends)),
  );
  options.countBulk(pubsub, topic, tally(ends), clock.now() - begunMs);

  const failed = new Map(
    [...ends].filter((end): end is [string, Error] => end[1] instanceof Error),
  );
  const dead = entries.filter(({ entryId }) => ends.get(entryId) !== 'success');
  if (deadLetterTopic === '' || dead.length === 0) return failed;
  if (failed.size > 0 && options.ended()) return failed;
  try {
    await options.bury(
      deadLetterTopic,
      dead.map(({ message }) => message),
    );
    const [why] = failed.values();
    log.warn(
      `${dead.length} events of ${topic} in ${pubsub} went to ${deadLetterTopic}: ${why?.message ?? 'the application did not want them'}`,
    );
    return new Map();
  } catch (error) {
    // All of them come again, those that the application dropped as well: else they would be gone.
    return new Map(dead.map(({ entryId }) => [entryId, error as Error]));
  }
}

/** Entries by the path that takes them; of the others `ends` says what became of them. */
function sorted(
  subscription: TopicSubscription,
  entries: readonly BulkEntry[],
  nowWallMs: number,
  ends: Ends,
): ReadonlyMap<string, BulkDeliveryEntry[]> {
  const byPath = new Map<string, BulkDeliveryEntry[]>();
  for (const { entryId, message } of entries) {
    const { data, metadata } = message;
    try {
      const raw = wantsRaw(subscription.metadata);
      const event = raw ? data.toString('base64') : envelopeIn(data);
      const path = pathFor(subscription, raw ? data.toString('utf8') : event, nowWallMs);
      if (path === undefined) {
        ends.set(entryId, 'drop');
        continue;
      }
      const contentType = raw ? 'application/octet-stream' : CLOUD_EVENTS;
      const entry = { entryId, event, metadata, contentType };
      const others = byPath.get(path);
      if (others === undefined) byPath.set(path, [entry]);
      else others.push(entry);
    } catch (error) {
      ends.set(entryId, error as Error);
    }
  }
  return byPath;
}

function envelopeIn(data: Buffer): Envelope {
  return JSON.parse(data.toString('utf8')) as Envelope;
}

/** Brings the entries of one path until each has ended, or the policies have given up. */
async function offer(
  { pubsub, topic }: TopicSubscription,
  path: string,
  entries: readonly BulkDeliveryEntry[],
  { courier, inbound }: DeliveryOptions,
  ends: Ends,
): Promise<void> {
  let pending = entries;
  const once = async (signal?: AbortSignal) => {
    const said = await courier.bringBulk({ pubsub, topic, path, entries: pending }, signal);
    // An attempt that was given up has no say any more: another is under way.
    signal?.throwIfAborted();
    for (const { entryId } of pending) ends.set(entryId, endOf(entryId, said.get(entryId)));
    pending = pending.filter(({ entryId }) => ends.get(entryId) instanceof Error);
    if (pending.length > 0) {
      throw new DeliveryError('few message(s) have failed during bulk subscribe operation');
    }
  };
  const pipeline = inbound(pubsub);
  try {
    await (pipeline === undefined ? once() : pipeline.execute(({ signal }) => once(signal)));
  } catch (error) {
    // What has an error of its own keeps it.
    for (const { entryId } of pending) {
      if (!ends.has(entryId)) ends.set(entryId, error as Error);
    }
  }
}

/** What the application's word for an entry means. */
function endOf(entryId: string, status: string | undefined): DeliveryStatus | Error {
  switch (status) {
    case 'SUCCESS':
      return 'success';
    case 'DROP':
      return 'drop';
    case undefined:
      return new DeliveryError(
        `response not received, RETRY required while processing bulk subscribe event for entry id: ${entryId}`,
      );
    case '':
    case 'RETRY':
      return new DeliveryError(
        `RETRY required while processing bulk subscribe event for entry id: ${entryId}`,
      );
    default:
      return new DeliveryError(
        `unknown status returned from app while processing bulk subscribe event ${entryId}: ${status}`,
      );
  }
}

function tally(ends: Ends): Record<DeliveryStatus, number> {
  const counts = { success: 0, drop: 0, retry: 0 };
  for (const end of ends.values()) counts[end instanceof Error ? 'retry' : end] += 1;
  return counts;
}
