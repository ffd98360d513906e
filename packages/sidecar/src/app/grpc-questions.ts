import {
  create,
  type DescMessage,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from '@bufbuild/protobuf';
import { EmptySchema } from '@bufbuild/protobuf/wkt';
import type { BindingOrder } from '../bindings/binding-order.ts';
import type { AnswerSink, Flow, OutgoingCall, Upstream } from '../flow/answer.ts';
import { headerPairs } from '../flow/headers/header-pairs.ts';
import { headerValue } from '../flow/headers/header-value.ts';
import {
  BindingEventRequestSchema,
  type BindingEventResponse,
  BindingEventResponseSchema,
  BindingEventResponse_BindingEventConcurrency as Concurrency,
  TopicEventResponse_TopicEventResponseStatus as EventStatus,
  ListInputBindingsResponseSchema,
  ListTopicSubscriptionsResponseSchema,
  TopicEventBulkRequestSchema,
  TopicEventBulkResponseSchema,
  TopicEventRequestSchema,
  TopicEventResponseSchema,
  type TopicRoutes,
} from '../grpc/protos/appcallback_pb.ts';
import { httpStatusOf, statusName } from '../grpc/status/rpc-status.ts';
import { bulkEventOf, topicEventOf } from '../pubsub/deliver/topic-event.ts';
import { CLOUD_EVENTS } from '../pubsub/envelope.ts';
import { callUnary } from './grpc-call.ts';
import type { GrpcConnection } from './grpc-connection.ts';

const SERVICE = '/dapr.proto.runtime.v1.AppCallback';
/** The name that bulks had before; Dapr's SDK for JavaScript knows no other. */
const ALPHA_BULK = '/dapr.proto.runtime.v1.AppCallbackAlpha/OnBulkTopicEventAlpha1';
/** Stands for an application that has no routes. */
const NO_ROUTE = '/';
const UNIMPLEMENTED = 12;
const { PARALLEL } = Concurrency;
const LONGEST_ANSWER_BYTES = 1024 * 1024;

/**
 * What the sidecar asks of its application by itself, in the form it has for
 * HTTP (`GET /dapr/subscribe`, `POST` of an event, `OPTIONS` of a binding,
 * `GET` of its health), as the callbacks that an application over gRPC has.
 */
export class GrpcQuestions implements Upstream {
  readonly #connection: GrpcConnection;

  constructor(connection: GrpcConnection) {
    this.#connection = connection;
  }

  send(call: OutgoingCall, sink: AnswerSink): Flow {
    if (call.method === 'GET' && call.path === '/dapr/subscribe') return this.#topics(call, sink);
    if (call.method === 'GET') return this.#health(sink);
    if (call.method === 'OPTIONS') return this.#bindings(call, sink);
    if (headerValue(call.headers, 'content-type') === CLOUD_EVENTS) return this.#event(call, sink);
    return headerValue(call.headers, 'pubsubname') === undefined
      ? this.#binding(call, sink)
      : this.#bulk(call, sink);
  }

  #topics({ headers }: OutgoingCall, sink: AnswerSink): Flow {
    const desc = { path: `${SERVICE}/ListTopicSubscriptions`, from: EmptySchema } as const;
    return this.#ask(
      desc,
      ListTopicSubscriptionsResponseSchema,
      {},
      metadataOf(headers),
      sink,
      (answer) => {
        const list = answer.subscriptions.map((one) => ({
          pubsubname: one.pubsubName,
          topic: one.topic,
          metadata: one.metadata,
          deadLetterTopic: one.deadLetterTopic,
          routes: routesOf(one.routes),
          ...(one.bulkSubscribe?.enabled
            ? {
                bulkSubscribe: {
                  enabled: true,
                  maxMessagesCount: one.bulkSubscribe.maxMessagesCount,
                  maxAwaitDurationMs: one.bulkSubscribe.maxAwaitDurationMs,
                },
              }
            : {}),
        }));
        return { status: 200, body: JSON.stringify(list) };
      },
    );
  }

  #health(sink: AnswerSink): Flow {
    const path = '/dapr.proto.runtime.v1.AppCallbackHealthCheck/HealthCheck';
    const call = { path, headers: [], body: new Uint8Array() };
    const rpcError = (code: string, why: string): void =>
      sink.fail(new Error(`rpc error: code = ${code} desc = ${why}`));
    const flow = callUnary(
      this.#connection,
      call,
      LONGEST_ANSWER_BYTES,
      ({ code, message }) => {
        // Any other is no verdict of an application: the words tell which it was.
        if (code !== 0) return rpcError(statusName(code), message);
        sink.head(200, [], flow);
        sink.end(null);
      },
      (error) => rpcError('Unavailable', error.message),
    );
    return flow;
  }

  /** Dapr asks for the list; what an application does not list, it does not want. */
  #bindings({ path, headers }: OutgoingCall, sink: AnswerSink): Flow {
    const desc = { path: `${SERVICE}/ListInputBindings`, from: EmptySchema } as const;
    return this.#ask(
      desc,
      ListInputBindingsResponseSchema,
      {},
      metadataOf(headers),
      sink,
      ({ bindings }) => ({
        status: bindings.includes(path.slice(1)) ? 200 : 404,
        body: '',
      }),
    );
  }

  #binding(call: OutgoingCall, sink: AnswerSink): Flow {
    const metadata = Object.fromEntries(
      [...headerPairs(call.headers)].filter(
        ([name]) => !/^(?:content-|traceparent|tracestate|dapr-api-token)/.test(name),
      ),
    );

    const request = {
      name: call.path.slice(1),
      data: Buffer.isBuffer(call.body) ? call.body : new Uint8Array(),
      metadata,
    };
    const desc = { path: `${SERVICE}/OnBindingEvent`, from: BindingEventRequestSchema } as const;
    const kept = [...headerPairs(call.headers)].flatMap((pair) =>
      pair[0] === 'traceparent' || pair[0] === 'dapr-api-token' ? pair : [],
    );
    return this.#ask(desc, BindingEventResponseSchema, request, kept, sink, (answer) => ({
      status: 200,
      body: JSON.stringify(orderOf(answer)),
    }));
  }

  #event(call: OutgoingCall, sink: AnswerSink): Flow {
    const desc = { path: `${SERVICE}/OnTopicEvent`, from: TopicEventRequestSchema } as const;
    const pubsub = headerValue(call.headers, 'pubsubname') ?? '';
    const { topic = '', event = {} } = call.subscribed ?? {};
    const request = topicEventOf(event, { pubsub, topic, path: pathOf(call) });
    const metadata = metadataOf(call.headers);
    return this.#ask(desc, TopicEventResponseSchema, request, metadata, sink, ({ status }) => {
      return { status: 200, body: JSON.stringify({ status: wordOf(status) }) };
    });
  }

  #bulk(call: OutgoingCall, sink: AnswerSink): Flow {
    const request = bulkEventOf(JSON.parse(String(call.body)), pathOf(call));
    const metadata = metadataOf(call.headers);
    const desc = {
      path: `${SERVICE}/OnBulkTopicEvent`,
      orElse: ALPHA_BULK,
      from: TopicEventBulkRequestSchema,
    } as const;
    return this.#ask(desc, TopicEventBulkResponseSchema, request, metadata, sink, (answer) => {
      const statuses = answer.statuses.map(({ entryId, status }) => {
        return { entryId, status: wordOf(status) };
      });
      return { status: 200, body: JSON.stringify({ statuses }) };
    });
  }

  #ask<I extends DescMessage, O extends DescMessage>(
    question: { readonly path: string; readonly orElse?: string; readonly from: I },
    to: O,
    request: MessageInitShape<I>,
    headers: readonly string[],
    sink: AnswerSink,
    told: (answer: MessageShape<O>) => { readonly status: number; readonly body: string },
  ): Flow {
    const body = toBinary(question.from, create(question.from, request));
    let current: Flow;
    const flow: Flow = {
      pause: () => current.pause(),
      resume: () => current.resume(),
      abort: (reason) => current.abort(reason),
    };
    const end = (status: number, text: string): void => {
      sink.head(status, ['content-type', 'application/json'], flow);
      sink.end(text === '' ? null : Buffer.from(text));
    };
    const call = (path: string, orElse?: string): Flow =>
      callUnary(
        this.#connection,
        { path, headers, body },
        LONGEST_ANSWER_BYTES,
        ({ code, message, body: answer }) => {
          if (code === UNIMPLEMENTED && orElse !== undefined) current = call(orElse);
          // What an application does not implement, it does not want.
          else if (code === UNIMPLEMENTED) end(404, message);
          else if (code !== 0) end(httpStatusOf(code), message);
          else {
            const { status, body: text } = told(fromBinary(to, answer));
            end(status, text);
          }
        },
        (error) => sink.fail(error),
      );
    current = call(question.path, question.orElse);
    return flow;
  }
}

/** What the answer to an event wants of output bindings; data that are no JSON are none, as in Dapr. */
function orderOf({ concurrency, data, to }: BindingEventResponse): BindingOrder {
  const bytes = Buffer.from(data);
  return {
    to,
    data: parsed(bytes.toString()),
    parallel: concurrency === PARALLEL,
    answer: bytes.toString('base64'),
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** Where there are rules alone, nobody wants what none of them takes. */
function routesOf(given: TopicRoutes | undefined) {
  const rules = given?.rules ?? [];
  return { rules, default: given?.default || (rules.length === 0 ? NO_ROUTE : '') };
}

/** As the application wrote it: over gRPC it is a name, with a slash or without. */
function pathOf({ subscribed }: OutgoingCall): string {
  return subscribed === undefined || subscribed.path === NO_ROUTE ? '' : subscribed.path;
}

/** HTTP's framing is not gRPC's. */
const metadataOf = (headers: readonly string[]): string[] =>
  [...headerPairs(headers)].flatMap((pair) => (pair[0].startsWith('content-') ? [] : pair));

const wordOf = (status: number): string =>
  Object.entries(EventStatus).find(([, number]) => number === status)?.[0] ?? String(status);
