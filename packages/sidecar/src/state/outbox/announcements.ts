import { randomUUID } from 'node:crypto';
import { isTrue } from '../../components/is-true.ts';
import { writeJson } from '../../go-json/write-json.ts';
import { type EnvelopeFacts, newEnvelope } from '../../pubsub/envelope.ts';
import type { StateRequest } from '../state-requests.ts';

/** One step of a transaction; `key` has its prefix. */
export interface KeyedStep {
  readonly kind: 'upsert' | 'delete';
  readonly key: string;
  readonly request: StateRequest;
}

/** An event about one item, and the key whose presence proves that the item was written. */
export interface Announcement {
  readonly marker: string;
  readonly event: Buffer;
}

export interface Announced {
  /** What is to be written: without the projections. */
  readonly steps: readonly KeyedStep[];
  readonly announcements: readonly Announcement[];
}

const DEFAULT_TYPE = 'text/plain';

/**
 * Each upsert of a transaction as an event: with the value it writes, or the one that
 * an item of the same key with the metadata `outbox.projection` has in its place.
 * `seal` is how the store encrypts values: events of an encrypted store are so too.
 */
export function announcementsOf(
  given: readonly KeyedStep[],
  facts: Omit<EnvelopeFacts, 'topic' | 'contentType' | 'metadata'>,
  seal: ((value: string | Buffer) => Buffer) | undefined,
): Announced {
  const projections = new Map(given.filter(isProjection).map((one) => [one.key, one.request]));
  const steps = given.filter((one) => !isProjection(one));
  const announcements = steps.flatMap(({ key, kind, request }) => {
    if (kind !== 'upsert') return [];
    const marker = `outbox-${randomUUID()}`;
    const { contentType, data } = told(projections.get(key) ?? request);
    const body = seal === undefined ? data : seal(data);
    const about = { ...facts, topic: '', contentType, metadata: {} };
    // Metadata of the item are fields of its event, but for what says what it is.
    const { data: _data, id: _id, ...fields } = request.metadata;
    const event = { ...newEnvelope(body, about), ...fields, id: marker };
    return [{ marker, event: Buffer.from(writeJson(event)) }];
  });
  return { steps, announcements };
}

const isProjection = ({ kind, request }: KeyedStep): boolean =>
  kind === 'upsert' && isTrue(request.metadata['outbox.projection']);

/** A text is itself whatever its type, unless that is JSON; what is no text is JSON (daprd prints it as Go does: `map[a:1]`). */
function told({ contentType: said, metadata, value }: StateRequest) {
  const contentType = said || metadata.contentType || DEFAULT_TYPE;
  if (Buffer.isBuffer(value)) return { contentType, data: value };
  const asText = typeof value === 'string' && contentType.toLowerCase() !== 'application/json';
  return { contentType, data: Buffer.from(asText ? value : writeJson(value ?? null)) };
}
