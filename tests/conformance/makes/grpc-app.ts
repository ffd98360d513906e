import http2, { type Http2ServerRequest, type Http2ServerResponse } from 'node:http2';
import type { AddressInfo } from 'node:net';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import { connectNodeAdapter } from '@connectrpc/connect-node';
import {
  AppCallback,
  AppCallbackAlpha,
  type BindingEventResponseSchema,
  TopicEventResponse_TopicEventResponseStatus as EventStatus,
} from '../../../packages/sidecar/src/grpc/protos/appcallback_pb.ts';

/** An application over gRPC: it has Dapr's callbacks, and answers any other service with what it was sent. */
export interface GrpcApp {
  readonly port: number;
  /** Events by topic, with the metadata they came with. */
  readonly events: Map<string, { readonly event: object; readonly metadata: Headers }[]>;
  /** Events of input bindings, by name. */
  readonly bound: Map<string, BoundEvent[]>;
  /** Calls per method of other services. */
  readonly calls: Map<string, number>;
  close(): void;
}

/** What an input binding said, and the metadata of the call. */
export interface BoundEvent {
  readonly data: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly headers: Headers;
}

/** What it wants of input bindings and how it answers their events, by binding. */
export type Bindings = Readonly<
  Record<string, (nth: number) => MessageInitShape<typeof BindingEventResponseSchema>>
>;

export async function startGrpcApp(bindings: Bindings = {}): Promise<GrpcApp> {
  const events: GrpcApp['events'] = new Map();
  const bound: GrpcApp['bound'] = new Map();
  const calls: GrpcApp['calls'] = new Map();
  const meeting = Promise.withResolvers<void>();
  let met = 0;
  const handler = connectNodeAdapter({
    connect: false,
    grpcWeb: false,
    routes: (router) => {
      // As Dapr's SDK for JavaScript has it: bulks under their first name alone.
      router.service(AppCallbackAlpha, {
        onBulkTopicEventAlpha1({ entries, topic }, context) {
          for (const event of entries) {
            const list = events.get(topic) ?? [];
            events.set(topic, [...list, { event, metadata: context.requestHeader }]);
          }
          return { statuses: entries.map(({ entryId }) => ({ entryId, status: 0 })) };
        },
      });
      router.service(AppCallback, {
        async onInvoke(request, context) {
          const { contentType, data, httpExtension, method } = request;
          context.responseHeader.set('x-app', 'yes');
          context.responseTrailer.set('x-trailer', 'last');
          // Bytes that are no text, as gRPC writes them: in Base64.
          context.responseHeader.set('head-bin', 'AAH/');
          context.responseTrailer.set('tail-bin', '/wEA');
          if (method === 'missing') throw new ConnectError('no such thing', Code.NotFound);
          if (method.startsWith('meet/')) {
            // Answered when as many are here.
            met += 1;
            if (met >= Number(method.slice('meet/'.length))) meeting.resolve();
            await meeting.promise;
          }
          const seen = {
            method,
            contentType,
            typeUrl: data?.typeUrl,
            body: Buffer.from(data?.value ?? []).toString(),
            verb: httpExtension?.verb,
            querystring: httpExtension?.querystring,
            mine: context.requestHeader.get('x-mine'),
            caller: context.requestHeader.get('dapr-caller-app-id'),
            bin: context.requestHeader.get('mine-bin'),
          };
          const value = Buffer.from(JSON.stringify(seen));
          return { contentType: 'application/json', data: { typeUrl: 'type/seen', value } };
        },
        listTopicSubscriptions: () => ({
          subscriptions: [
            { pubsubName: 'bus', topic: 'plain' },
            { pubsubName: 'bus', topic: 'elsewhere' },
            {
              pubsubName: 'bus',
              topic: 'routed',
              routes: { rules: [{ match: 'event.type == "x"', path: '/x' }], default: '/other' },
            },
            { pubsubName: 'bus', topic: 'raw', metadata: { rawPayload: 'true' } },
            { pubsubName: 'bus', topic: 'unwanted', deadLetterTopic: 'buried' },
            { pubsubName: 'bus', topic: 'buried' },
            {
              pubsubName: 'bus',
              topic: 'ruled',
              routes: { rules: [{ match: 'event.type == "x"', path: 'by_name' }] },
            },
            { pubsubName: 'bus', topic: 'odd' },
            {
              pubsubName: 'bus',
              topic: 'bulk',
              bulkSubscribe: { enabled: true, maxMessagesCount: 2, maxAwaitDurationMs: 200 },
            },
          ],
        }),
        // The others are told by their components alone.
        listInputBindings: () => ({
          bindings: Object.keys(bindings).filter((name) => !name.startsWith('unlisted')),
        }),
        onBindingEvent({ data, metadata, name }, context) {
          const list = bound.get(name) ?? [];
          const event = {
            data: Buffer.from(data).toString(),
            metadata,
            headers: context.requestHeader,
          };
          bound.set(name, [...list, event]);
          return bindings[name]?.(list.length + 1) ?? {};
        },
        onTopicEvent(event, context) {
          const list = events.get(event.topic) ?? [];
          events.set(event.topic, [...list, { event, metadata: context.requestHeader }]);
          return { status: event.topic === 'unwanted' ? EventStatus.DROP : EventStatus.SUCCESS };
        },
      });
    },
    fallback: (req, res) => echo(req as Http2ServerRequest, res as Http2ServerResponse, calls),
  });
  // As many as servers in Go and Java often allow.
  const settings = { maxConcurrentStreams: 100 };
  const server = http2.createServer({ settings }, (req, res) => {
    // Libraries differ in what they answer for a method they do not have; this is that SDK's.
    if (req.url.endsWith('/OnBulkTopicEvent')) res.writeHead(404).end();
    else handler(req, res);
  });
  server.listen(0, '127.0.0.1');
  const sessions = new Set<http2.ServerHttp2Session>();
  server.on('session', (session) => {
    sessions.add(session);
    session.on('close', () => sessions.delete(session));
  });
  await new Promise((resolve) => server.once('listening', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    events,
    bound,
    calls,
    close() {
      server.close();
      for (const session of sessions) session.destroy();
    },
  };
}

/**
 * By `x-mode`: `late` fails after the messages, `fail-N` fails the first N calls before any, `hang`
 * never answers, `many-N` answers N times, `refuse-N` answers no more than the code N, with details.
 */
function echo(req: Http2ServerRequest, res: Http2ServerResponse, calls: Map<string, number>): void {
  const call = (calls.get(req.url) ?? 0) + 1;
  calls.set(req.url, call);
  const mode = String(req.headers['x-mode'] ?? '');
  const [, word = '', number = 0] = /^(\w+)-(\d+)$/.exec(mode) ?? [];
  const failing = word === 'fail' && call <= Number(number);
  const chunks: Buffer[] = [];
  if (mode === 'hang') {
    req.resume();
    return;
  }
  if (word === 'refuse') {
    req.resume();
    const head = { 'content-type': 'application/grpc', 'x-head': 'only' };
    const status = { 'grpc-status': String(number), 'grpc-message': 'not%20you%25' };
    const headers = { ':status': 200, ...head, ...status, 'grpc-status-details-bin': 'CAUSA25v' };
    res.stream.respond(headers, { endStream: true });
    return;
  }
  res.writeHead(200, { 'content-type': 'application/grpc', 'x-head': 'first', 'head-bin': 'AAH/' });
  req.on('data', (chunk: Buffer) => {
    // A stream is answered as it comes.
    if (mode === 'stream') res.write(chunk);
    else chunks.push(chunk);
  });
  req.on('end', () => {
    const times = word === 'many' ? Number(number) : 1;
    for (let nth = 0; mode !== 'stream' && !failing && nth < times; nth += 1) {
      res.write(Buffer.concat(chunks));
    }
    const status = failing ? '14' : mode === 'late' ? '5' : '0';
    const words = failing ? 'not yet' : mode === 'late' ? 'gone' : '';
    const seen = JSON.stringify({
      caller: req.headers['dapr-caller-app-id'],
      callee: req.headers['dapr-callee-app-id'],
      mine: req.headers['x-mine'],
      bin: req.headers['mine-bin'],
    });
    res.addTrailers({
      'grpc-status': status,
      'grpc-message': words,
      'x-seen': seen,
      'x-traced': JSON.stringify([
        req.headers.traceparent,
        req.headers['grpc-trace-bin'],
        req.headers.baggage,
      ]),
      'tail-bin': '/wEA',
    });
    res.end();
  });
}
