import type { Clock } from '@holdfast/core';
import type { AnswerSink, Flow, OutgoingCall, Upstream } from '../flow/answer.ts';
import { ExchangeSink } from '../flow/exchange-sink.ts';
import { PlainUpstream } from '../flow/plain-upstream.ts';
import { UpstreamError } from '../flow/upstream-error.ts';
import type { CountExchange, CountRpc } from '../metrics/sidecar-metrics.ts';
import { type ConcurrencyGate, createGate } from './concurrency-gate.ts';
import { H2cApp } from './h2c-app.ts';
import type { GrpcWay } from './open-grpc-app.ts';
import { RPC_BYTES, RPC_VERB, withoutRpcBytes } from './rpc-answer.ts';
import { RpcBesideHttp } from './rpc-beside-http.ts';

/** How an application is spoken to: `https` and `grpcs` with TLS, whose certificate is not looked at. */
export type AppProtocol = 'http' | 'https' | 'h2c' | 'grpc' | 'grpcs';

export interface AppChannelOptions {
  /** Absent: the application cannot be called. */
  readonly port: number | undefined;
  readonly address: string;
  readonly protocol: AppProtocol;
  /** Longest message of an application that speaks gRPC. */
  readonly maxBodyBytes: number;
  /** Calls in the application at a time; others wait. -1: no limit. */
  readonly maxConcurrency: number;
  /** Sent to the application as `dapr-api-token`. */
  readonly token: string | undefined;
  readonly clock: Clock;
  readonly called: CountExchange;
  /** Of an application that speaks gRPC. */
  readonly calledRpc: CountRpc;
}

/** The way to our own application; what speaks gRPC takes 10 MB, so only those load it whose application does. */
export async function openAppChannel(options: AppChannelOptions): Promise<AppChannel> {
  const { port, address, protocol } = options;
  if (port === undefined) return new AppChannel(options, undefined);
  if (protocol === 'grpc' || protocol === 'grpcs') {
    const { openGrpcApp } = await import('./open-grpc-app.ts');
    const tls = protocol === 'grpcs';
    return new AppChannel(options, openGrpcApp(`${address}:${port}`, { ...options, tls }));
  }
  if (protocol === 'h2c') {
    return new AppChannel(options, new H2cApp(`${address}:${port}`, options.clock));
  }
  const origin = `${protocol}://${address}:${port}`;
  const http = new PlainUpstream(origin, options.clock, { anyCertificate: true });
  return new AppChannel(options, http);
}

type AppHttp = H2cApp | PlainUpstream;

const UNWELL = 'rpc error: code = Internal desc = app is not in a healthy state';

/** Calls, refusals, counts and the token on the way there. */
export class AppChannel implements Upstream {
  #healthy = true;
  readonly #waitingForTrouble: (() => void)[] = [];
  readonly #http: AppHttp | undefined;
  readonly #grpc: GrpcWay | undefined;
  readonly #questions: Upstream | undefined;
  /** gRPC of clients, where the application speaks HTTP. */
  readonly #rpc: RpcBesideHttp | undefined;
  /** Our way to it, through middleware. */
  #way: Upstream | undefined;
  readonly #gate: ConcurrencyGate | undefined;
  readonly #token: string | undefined;
  /** As errors name it, where it speaks HTTP. */
  readonly origin: string;
  readonly #clock: Clock;
  readonly #called: CountExchange;

  constructor(
    { address, called, clock, maxConcurrency, port, protocol, token }: AppChannelOptions,
    to: AppHttp | GrpcWay | undefined,
  ) {
    this.#clock = clock;
    this.#called = called;
    this.origin = `${protocol === 'https' ? 'https' : 'http'}://${address}:${port}`;
    if (to instanceof H2cApp || to instanceof PlainUpstream) this.#http = to;
    else this.#grpc = to;
    this.#questions = this.#http ?? this.#grpc?.questions;
    this.#way = this.#http ?? this.#grpc?.app;
    if (this.#http !== undefined) this.#rpc = new RpcBesideHttp(`${address}:${port}`, clock);
    this.#gate = maxConcurrency > 0 ? createGate(maxConcurrency) : undefined;
    this.#token = token;
  }

  /** Set by the health checks; calls are refused while it is false, but for gRPC that is passed through. */
  get healthy(): boolean {
    return this.#healthy;
  }

  set healthy(now: boolean) {
    this.#healthy = now;
    if (!now) for (const told of this.#waitingForTrouble.splice(0)) told();
  }

  /** Resolves when it is not healthy; never where nobody looks. */
  whenUnhealthy(): Promise<void> {
    if (!this.#healthy) return Promise.resolve();
    return new Promise((resolve) => this.#waitingForTrouble.push(resolve));
  }

  /** Whether there is an application to call at all. */
  get initialized(): boolean {
    return this.#questions !== undefined;
  }

  /** Puts something in the way of all calls but health probes. */
  through(wrap: (upstream: Upstream) => Upstream): void {
    if (this.#http !== undefined) this.#way = wrap(this.#http);
  }

  send(call: OutgoingCall, sink: AnswerSink): Flow {
    return this.#send(this.#way, call, sink);
  }

  /** For what the sidecar asks by itself: subscriptions, events, bindings. */
  get questions(): Upstream {
    const app = this.#http === undefined ? this.#questions : this.#way;
    return { send: (call, sink) => this.#send(app, call, sink) };
  }

  #send(app: Upstream | undefined, call: OutgoingCall, sink: AnswerSink): Flow {
    if (app === undefined) return refuse(sink, 'app channel is not initialized');
    // It passes through, well or not, and counts for nothing, as in Dapr: a stream may stay for ever.
    if (call.method === RPC_VERB) {
      return (this.#rpc ?? app).send(this.#authorized(call), sink);
    }
    if (!this.#healthy) return refuse(sink, UNWELL);
    const http = this.#http;
    const wrong = http === undefined ? undefined : notForHttp(call.method);
    if (wrong !== undefined) return refuse(sink, wrong);
    const worded =
      http === undefined
        ? sink
        : new ExchangeSink(sink, this.origin, call, this.#clock, this.#called);
    const plain =
      http !== undefined && call.headers.includes(RPC_BYTES)
        ? { ...call, headers: withoutRpcBytes(call.headers) }
        : call;
    const authorized = this.#authorized(plain);
    return this.#gate === undefined
      ? app.send(authorized, worded)
      : this.#gate.send(app, authorized, worded);
  }

  #authorized(call: OutgoingCall): OutgoingCall {
    return this.#token === undefined ? call : withToken(call, this.#token);
  }

  /** For health probes: past the gate, and whether it is healthy or not. */
  get probe(): Upstream {
    const app = this.#questions;
    if (app === undefined) {
      return { send: (_call, sink) => refuse(sink, 'app channel is not initialized') };
    }
    if (this.#http === undefined) return app;
    const uncounted = (): void => {};
    return {
      send: (call, sink) =>
        app.send(call, new ExchangeSink(sink, this.origin, call, this.#clock, uncounted)),
    };
  }

  async close(): Promise<void> {
    this.#grpc?.close();
    this.#rpc?.close();
    await this.#http?.close();
  }
}

/** Calls of the gRPC API that only an application over gRPC understands, in Dapr's words where it has some. */
function notForHttp(method: string): string | undefined {
  if (method === 'NONE') {
    return 'rpc error: code = InvalidArgument desc = missing HTTP extension field';
  }
  if (method === 'CONNECT') return 'rpc error: code = InvalidArgument desc = invalid HTTP verb';
  return undefined;
}

function refuse(sink: AnswerSink, why: string): Flow {
  // Later, so that the caller has its handle before it hears the news.
  queueMicrotask(() => sink.fail(new UpstreamError('REFUSED', why)));
  return { pause() {}, resume() {}, abort() {} };
}

function withToken(call: OutgoingCall, token: string): OutgoingCall {
  const headers: string[] = [];
  for (let at = 0; at + 1 < call.headers.length; at += 2) {
    const name = call.headers[at]!;
    if (name !== 'dapr-api-token') headers.push(name, call.headers[at + 1]!);
  }
  headers.push('dapr-api-token', token);
  return { ...call, headers };
}
