import { create } from '@bufbuild/protobuf';
import { Code, ConnectError, type HandlerContext, type ServiceImpl } from '@connectrpc/connect';
import type { OpenPubSub } from '../../components/open-components.ts';
import type { Courier, Delivery, Verdict } from '../../pubsub/deliver/courier.ts';
import { DeliveryError } from '../../pubsub/deliver/delivery-error.ts';
import { inDeliverySpans } from '../../pubsub/deliver/delivery-spans.ts';
import { topicEventOf } from '../../pubsub/deliver/topic-event.ts';
import { pubsubNotFound } from '../../pubsub/pubsub-error.ts';
import type { Subscriber } from '../../pubsub/subscribe/subscriber.ts';
import type { Tracing } from '../../trace/tracing.ts';
import { TopicEventResponse_TopicEventResponseStatus as Status } from '../protos/appcallback_pb.ts';
import type { Dapr } from '../protos/dapr_pb.ts';
import {
  type SubscribeTopicEventsRequestAlpha1,
  type SubscribeTopicEventsRequestInitialAlpha1,
  type SubscribeTopicEventsResponseAlpha1,
  SubscribeTopicEventsResponseAlpha1Schema,
} from '../protos/pubsub_pb.ts';
import { MessageQueue } from '../wire/message-queue.ts';

/** Events that a client has been sent and has not answered; more wait at the broker. */
const MAX_IN_HAND = 1_000;

export interface StreamSubscriptions {
  readonly brokers: ReadonlyMap<string, OpenPubSub>;
  readonly subscriber: Subscriber;
  readonly tracing: Tracing;
}

/** Subscriptions in a stream: events one way, what became of them the other. */
export function subscribeRpc(
  given: StreamSubscriptions,
): Pick<ServiceImpl<typeof Dapr>, 'subscribeTopicEventsAlpha1'> {
  return {
    async *subscribeTopicEventsAlpha1(
      requests: AsyncIterable<SubscribeTopicEventsRequestAlpha1>,
      { signal }: HandlerContext,
    ) {
      const incoming = requests[Symbol.asyncIterator]();
      const { leaving } = given.subscriber;
      const first = await nextUnless(leaving, incoming);
      // The sidecar stops, and nobody has subscribed yet.
      if (first === undefined) return;
      const initial = initialOf(first.value);
      allow(given, initial);
      const events = new MessageQueue<SubscribeTopicEventsResponseAlpha1>(MAX_IN_HAND);
      const courier = new StreamCourier(events, given.tracing);
      const listener = await given.subscriber.add(
        {
          type: 'STREAMING',
          pubsub: initial.pubsubName,
          topic: initial.topic,
          rules: [{ match: '', path: '/', takes: () => true }],
          deadLetterTopic: initial.deadLetterTopic ?? '',
          metadata: initial.metadata,
        },
        courier,
      );
      if (listener === undefined) {
        const why = `failed to create subscription for ${initial.pubsubName}: its log says why`;
        throw new ConnectError(why, Code.Unknown);
      }
      const end = (failure?: ConnectError): void => {
        courier.end();
        events.end(failure);
      };
      const gone = () => end();
      signal.addEventListener('abort', gone);
      // What the client has in hand it may still answer; events to come are others'.
      const leave = () =>
        void listener
          .close()
          .catch(() => {})
          .finally(() => end());
      leaving.addEventListener('abort', leave);
      if (leaving.aborted) leave();
      void listen(incoming, courier).then(end);
      try {
        yield message({ case: 'initialResponse', value: {} as never });
        yield* events;
      } finally {
        signal.removeEventListener('abort', gone);
        leaving.removeEventListener('abort', leave);
        courier.end();
        await listener.close();
      }
    },
  };
}

/** What comes next; undefined where `leaving` aborts before it. Leaves no listener behind. */
async function nextUnless<T>(leaving: AbortSignal, incoming: AsyncIterator<T>) {
  const left = Promise.withResolvers<undefined>();
  const leave = () => left.resolve(undefined);
  leaving.addEventListener('abort', leave);
  if (leaving.aborted) leave();
  try {
    return await Promise.race([incoming.next(), left.promise]);
  } finally {
    leaving.removeEventListener('abort', leave);
  }
}

function initialOf(
  first: SubscribeTopicEventsRequestAlpha1 | undefined,
): SubscribeTopicEventsRequestInitialAlpha1 {
  const request = first?.subscribeTopicEventsRequestType;
  if (request?.case !== 'initialRequest') throw unknown('initial request is required');
  if (request.value.pubsubName === '') throw unknown('pubsubName is required');
  if (request.value.topic === '') throw unknown('topic is required');
  return request.value;
}

function allow(
  { brokers }: StreamSubscriptions,
  { pubsubName, topic }: SubscribeTopicEventsRequestInitialAlpha1,
): void {
  const open = brokers.get(pubsubName);
  if (open === undefined) throw pubsubNotFound(pubsubName);
  if (open.scopes.maySubscribe(topic)) return;
  throw unknown(
    `failed to create subscription for ${pubsubName}: subscription to topic '${topic}' on pubsub '${pubsubName}' is not allowed`,
  );
}

const unknown = (why: string): ConnectError => new ConnectError(why, Code.Unknown);

/** What the client says of its events, until it says no more, or what it may not: resolves with that. */
async function listen(
  incoming: AsyncIterator<SubscribeTopicEventsRequestAlpha1>,
  courier: StreamCourier,
): Promise<ConnectError | undefined> {
  try {
    for (;;) {
      const { done, value } = await incoming.next();
      if (done === true) return undefined;
      const request = value.subscribeTopicEventsRequestType;
      if (request.case === 'initialRequest') return unknown('duplicate initial request received');
      if (request.case !== 'eventProcessed') continue;
      courier.processed(request.value.id, request.value.status?.status ?? Status.SUCCESS);
    }
  } catch {
    // The client has gone; what it had in hand is brought to another.
    return undefined;
  }
}

interface InHand {
  readonly resolve: (verdict: Verdict) => void;
  readonly reject: (error: Error) => void;
}

/** Brings events through a stream. */
class StreamCourier implements Courier {
  readonly countsDropAs = 'drop';
  readonly #events: MessageQueue<SubscribeTopicEventsResponseAlpha1>;
  readonly #tracing: Tracing;
  /** By the event's id; the same may be in hand twice. */
  readonly #inHand = new Map<string, InHand[]>();
  #ended = false;

  constructor(events: MessageQueue<SubscribeTopicEventsResponseAlpha1>, tracing: Tracing) {
    this.#events = events;
    this.#tracing = tracing;
  }

  bring(delivery: Delivery, signal?: AbortSignal): Promise<Verdict> {
    const { event, topic } = delivery;
    // A stream has no headers for an event: its trace is within the event.
    return inDeliverySpans(this.#tracing, { topic, events: [event] }, () =>
      this.#send(delivery, signal),
    );
  }

  #send({ event, path, pubsub, topic }: Delivery, signal?: AbortSignal): Promise<Verdict> {
    return new Promise((resolve, reject) => {
      if (this.#ended) {
        reject(gone());
        return;
      }
      const id = String(event.id ?? '');
      const one: InHand = { resolve, reject };
      this.#inHand.set(id, [...(this.#inHand.get(id) ?? []), one]);
      signal?.addEventListener(
        'abort',
        () => {
          this.#forget(id, one);
          reject(signal.reason as Error);
        },
        { once: true },
      );
      const value = topicEventOf(event, { path, pubsub, topic });
      this.#events.put(message({ case: 'eventMessage', value: value as never }));
    });
  }

  /** No stream asks for bulks. */
  bringBulk(): Promise<ReadonlyMap<string, string>> {
    return Promise.reject(new Error('unreachable: a streaming subscription has no bulks'));
  }

  processed(id: string, status: Status): void {
    const one = this.#inHand.get(id)?.[0];
    // Of an event that was given up meanwhile, or that nobody sent.
    if (one === undefined) return;
    this.#forget(id, one);
    if (status === Status.SUCCESS) one.resolve('success');
    else if (status === Status.DROP) one.resolve('drop');
    else {
      const about = `while processing pub/sub event ${id}`;
      one.reject(
        new DeliveryError(`RETRY status returned from app ${about}: retriable error occurred`),
      );
    }
  }

  /** What the client has not answered is brought again, to whoever takes it. */
  end(): void {
    this.#ended = true;
    const all = [...this.#inHand.values()].flat();
    this.#inHand.clear();
    for (const { reject } of all) reject(gone());
  }

  #forget(id: string, one: InHand): void {
    const rest = (this.#inHand.get(id) ?? []).filter((other) => other !== one);
    if (rest.length === 0) this.#inHand.delete(id);
    else this.#inHand.set(id, rest);
  }
}

const gone = (): DeliveryError => new DeliveryError('the stream of the subscription has ended');

function message(
  of: SubscribeTopicEventsResponseAlpha1['subscribeTopicEventsResponseType'],
): SubscribeTopicEventsResponseAlpha1 {
  return create(SubscribeTopicEventsResponseAlpha1Schema, { subscribeTopicEventsResponseType: of });
}
