import type { Clock } from '@holdfast/core';
import { OutboxRefusedError } from '@holdfast/messaging';
import type { ComponentCalls } from '../../components/component-calls.ts';
import { goBoolean } from '../../components/go-boolean.ts';
import type { OpenPubSub } from '../../components/open-components.ts';
import {
  type GoType,
  goAny,
  goMap,
  goSlice,
  goString,
  goStruct,
  readInto,
} from '../../go-json/go-type.ts';
import { firstJson } from '../../go-json/read-json.ts';
import { writeJson } from '../../go-json/write-json.ts';
import { failureWords } from '../../invoke/invoke-error.ts';
import type { ApiError } from '../../server/api-error.ts';
import type { TraceFacts } from '../../trace/tracing.ts';
import { type EnvelopeFacts, envelopeOf } from '../envelope.ts';
import { eventBytes } from '../event-bytes.ts';
import type { OutboxPubSub } from '../outbox/outbox-pubsub.ts';
import type { PubSub, PubSubMessage } from '../pubsub.ts';
import {
  bulkUnreadable,
  entryIdsUnusable,
  eventUnreadable,
  notBoolean,
  notCloudEvent,
  outboxRefused,
  publishFailed,
  pubsubNotFound,
  pubsubUnnamed,
  topicForbidden,
  topicUnnamed,
} from '../pubsub-error.ts';
import {
  type BulkCall,
  type FailedEntry,
  type PublishEntry,
  publishEntries,
} from './publish-entries.ts';
import { brokersOwn, PublishFailure, type PublishingProtocol } from './publish-failure.ts';

/** An event as a client publishes it. */
export interface Publication extends TraceFacts {
  readonly body: Buffer;
  readonly contentType: string;
  readonly metadata: Readonly<Record<string, string>>;
}

/** An entry of a bulk publication. */
export interface BulkEntry {
  readonly entryId: string;
  readonly event: Buffer;
  readonly contentType: string;
  /** Those of all are its own as well where it says some, and its own win; undefined: it says none, and has none. */
  readonly metadata: Publication['metadata'] | undefined;
}

/** What all entries of a bulk publication have. */
export interface SharedFacts {
  readonly metadata: Publication['metadata'];
  /** Asked once for each. */
  readonly trace: () => TraceFacts;
}

/** Dapr's publishing, whatever the protocol; errors are `ApiError`. */
export class PublishService {
  readonly #brokers: ReadonlyMap<string, OpenPubSub>;
  readonly #calls: ComponentCalls;
  readonly #appId: string;
  readonly #clock: Clock;
  readonly #protocol: PublishingProtocol;

  constructor(
    brokers: ReadonlyMap<string, OpenPubSub>,
    calls: ComponentCalls,
    appId: string,
    clock: Clock,
    protocol: PublishingProtocol = 'http',
  ) {
    this.#brokers = brokers;
    this.#calls = calls;
    this.#appId = appId;
    this.#clock = clock;
    this.#protocol = protocol;
  }

  /** The same service as clients of gRPC have it. */
  overGrpc(): PublishService {
    return new PublishService(this.#brokers, this.#calls, this.#appId, this.#clock, 'grpc');
  }

  async publish(pubsub: string, topic: string, event: Publication): Promise<void> {
    const open = this.#allowed(pubsub, topic, event.metadata);
    const message = this.#message(open, pubsub, topic, event);
    await this.#calling(open, pubsub, topic, (call) =>
      open.broker.publish(topic, message, call?.signal),
    ).catch((error: unknown) => {
      throw failure(pubsub, topic, error);
    });
  }

  /**
   * Publishes a message that is made already, which no client sent: behind scopes and
   * policies, uncounted. Rejects in the words of daprd's own publishing.
   */
  async forward(pubsub: string, topic: string, message: PubSubMessage): Promise<void> {
    const open = this.#brokers.get(pubsub);
    if (open === undefined) throw new Error(`pubsub '${pubsub}' not found`);
    const { broker, outbox, scopes } = open;
    if (!scopes.mayPublish(topic)) {
      throw new Error(`topic ${topic} is not allowed for app id ${this.#appId}`);
    }
    const work = () => broker.publish(topic, message);
    // What an outbox keeps does not go to the broker yet.
    await (outbox === undefined ? this.#calls.guarded('published', pubsub, work) : work());
  }

  /** As `publishEntries`, of the JSON that HTTP brings. */
  async publishBulk(
    pubsub: string,
    topic: string,
    body: Buffer,
    shared: SharedFacts,
  ): Promise<readonly FailedEntry[]> {
    this.#allowed(pubsub, topic, shared.metadata);
    return await this.publishEntries(pubsub, topic, this.#entries(pubsub, topic, body), shared);
  }

  /** Every entry is tried; resolves with those that failed. `shared` is what all of them have. */
  async publishEntries(
    pubsub: string,
    topic: string,
    entries: readonly BulkEntry[],
    shared: SharedFacts,
  ): Promise<readonly FailedEntry[]> {
    const open = this.#allowed(pubsub, topic, shared.metadata);
    const ids = new Set(entries.map(({ entryId }) => entryId));
    if (ids.has('') || ids.size < entries.length) {
      throw entryIdsUnusable(pubsub, topic, this.#appId);
    }
    // One for all: an entry's own word on it is not heard, as in Dapr.
    const raw = asksForRaw(shared.metadata);
    const messages = entries.map(({ entryId, event, contentType, metadata: own }) => {
      // As in Dapr, which hands those of all to the brokers that take bulks, and to no others.
      const metadata = own === undefined ? {} : { ...shared.metadata, ...own };
      const entry = { ...shared.trace(), body: event, contentType, metadata };
      const message = this.#message(open, pubsub, topic, entry, raw);
      return { entryId, message: { ...message, contentType, entryId } };
    });
    if (open.outbox === undefined) {
      const call: BulkCall = (work) => this.#behindPolicies('publishedBulk', pubsub, topic, work);
      return await publishEntries(open.broker, topic, messages, { bulk: shared.metadata, call });
    }
    await this.#keepAll(open.outbox, pubsub, topic, kept(open.broker, messages, shared));
    return [];
  }

  /** All entries or none: the disk is the same for all of them. */
  async #keepAll(
    outbox: OutboxPubSub,
    pubsub: string,
    topic: string,
    entries: readonly PublishEntry[],
  ): Promise<void> {
    const messages = entries.map(({ message }) => message);
    await this.#calls
      .counted('publishedBulk', pubsub, topic, () => outbox.publishAll(topic, messages))
      .catch((error: unknown) => {
        throw failure(pubsub, topic, error);
      });
  }

  /** Policies are for the broker; what an outbox keeps does not go there yet. */
  #calling(
    { outbox }: OpenPubSub,
    pubsub: string,
    topic: string,
    work: (call?: { readonly signal: AbortSignal }) => Promise<void>,
  ): Promise<void> {
    return outbox === undefined
      ? this.#behindPolicies('published', pubsub, topic, work)
      : this.#calls.counted('published', pubsub, topic, work);
  }

  async #behindPolicies(
    kind: 'published' | 'publishedBulk',
    pubsub: string,
    topic: string,
    work: (call?: { readonly signal: AbortSignal }) => Promise<void>,
  ): Promise<void> {
    const shown = (call?: { readonly signal: AbortSignal }) =>
      work(call).catch((error: unknown) => {
        throw new PublishFailure(error, this.#protocol);
      });
    await this.#calls.run(kind, pubsub, topic, shown).catch((error: unknown) => {
      throw brokersOwn(error);
    });
  }

  #allowed(pubsub: string, topic: string, metadata: Publication['metadata']): OpenPubSub {
    if (pubsub === '') throw pubsubUnnamed();
    const open = this.#brokers.get(pubsub);
    if (open === undefined) throw pubsubNotFound(pubsub);
    if (topic === '') throw topicUnnamed(pubsub);
    const { rawPayload } = metadata;
    // Nothing is nothing said.
    if (rawPayload && goBoolean(rawPayload) === undefined) {
      throw notBoolean(pubsub, rawPayload, metadata);
    }
    if (!open.scopes.mayPublish(topic)) throw topicForbidden(pubsub, topic, this.#appId);
    return open;
  }

  #message(
    { broker }: OpenPubSub,
    pubsub: string,
    topic: string,
    event: Publication,
    raw = asksForRaw(event.metadata),
  ): PubSubMessage {
    const { body, contentType, metadata, traceparent, tracestate } = event;
    if (raw) return { data: body, metadata };
    const facts: EnvelopeFacts = {
      appId: this.#appId,
      pubsub,
      topic,
      contentType,
      metadata,
      traceparent,
      tracestate,
      nowWallMs: this.#clock.wallMs(),
      brokerExpires: broker.capabilities.includes('MESSAGE_TTL'),
    };
    try {
      return { data: Buffer.from(writeJson(envelopeOf(body, facts))), metadata };
    } catch (error) {
      throw notCloudEvent(pubsub, (error as Error).message, this.#appId);
    }
  }

  #entries(pubsub: string, topic: string, body: Buffer): readonly BulkEntry[] {
    let list: readonly WrittenEntry[];
    try {
      list = readInto(ENTRIES, firstJson(body.toString('utf8')));
    } catch (error) {
      throw bulkUnreadable(pubsub, topic, (error as Error).message, this.#appId);
    }
    return list.map(({ event, ...entry }) => {
      try {
        return { ...entry, event: eventBytes(event, entry.contentType) };
      } catch (error) {
        const why = `error: ${(error as Error).message}`;
        throw eventUnreadable(pubsub, topic, why, this.#appId);
      }
    });
  }
}

/** Behind an outbox entries are handed over each for itself, as the broker would have made them of the bulk. */
function kept(
  broker: PubSub,
  entries: readonly PublishEntry[],
  { metadata: bulk }: SharedFacts,
): readonly PublishEntry[] {
  if (broker.bulkIsEachs !== true) return entries;
  return entries.map(({ entryId, message }) => ({
    entryId,
    message: { ...message, metadata: { ...message.metadata, ...bulk } },
  }));
}

interface WrittenEntry extends Omit<BulkEntry, 'event'> {
  readonly event: unknown;
}

/** Those that are there but empty are some. */
const SOME: GoType<BulkEntry['metadata']> = { ...goMap(goString), zero: undefined };

const ENTRIES = goSlice(
  goStruct<WrittenEntry>('http.bulkPublishMessageEntry', {
    entryId: goString,
    event: goAny,
    contentType: goString,
    metadata: SOME,
  }),
);

/** Whether these metadata ask that the event be published as it is, without an envelope. */
export const asksForRaw = ({ rawPayload = '' }: Publication['metadata']): boolean =>
  goBoolean(rawPayload) === true;

function failure(pubsub: string, topic: string, error: unknown): ApiError {
  if (error instanceof OutboxRefusedError) return outboxRefused(pubsub, topic, error);
  return publishFailed(pubsub, topic, failureWords(error), error);
}
