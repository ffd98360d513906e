import net from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import type { Clock, Timer } from '@holdfast/core';
import type { AnswerSink, Flow, OutgoingCall, Upstream } from './answer.ts';
import {
  HttpUpstream,
  KEEP_ALIVE_MS,
  MAX_CONNECTIONS,
  type UpstreamTrust,
} from './http-upstream.ts';
import { PlainConnection, type PlainKeeper } from './plain-connection.ts';
import { PlainFlow } from './plain-flow.ts';
import { requestText } from './request-text.ts';
import { UpstreamError } from './upstream-error.ts';

/** Where the other side says how long it keeps one: so much sooner. */
const HINT_MARGIN_MS = 2_000;
/** After a silence of this length a connection may just be closing. */
const LOOK_MS = 500;

/**
 * An HTTP/1.1 server at a fixed address, in the clear or by TLS: the
 * application, or an endpoint outside. Plain calls, which nearly all are, go over connections of our own; what is not
 * plain (see `requestText`) goes through undici's pool, and has its errors.
 *
 * undici costs more than all the rest that a sidecar does with a small call:
 * it has each wait for a turn of the event loop, for fear of what may lie on
 * the connection, and can do much that is not asked here. The parser is the same.
 */
export class PlainUpstream implements Upstream, PlainKeeper {
  readonly host: string;
  readonly port: number;
  readonly address: string;
  readonly tls: ConnectionOptions | undefined;
  readonly #origin: string;
  readonly #trust: UpstreamTrust;
  readonly #clock: Clock;
  readonly #all = new Set<PlainConnection>();
  /** Latest used last. */
  readonly #idle: PlainConnection[] = [];
  /** Free since this turn. */
  #resting: PlainConnection[] = [];
  readonly #waiting = new Set<PlainFlow>();
  #sweep: Timer | undefined;
  #other: HttpUpstream | undefined;
  #closed = false;

  constructor(origin: string, clock: Clock, trust: UpstreamTrust = {}) {
    const { host, hostname, port, protocol } = new URL(origin);
    const secure = protocol === 'https:';
    this.host = hostname.replace(/^\[|\]$/g, '');
    this.port = port === '' ? (secure ? 443 : 80) : Number(port);
    this.address = host;
    this.tls = secure ? tlsOptions(this.host, trust) : undefined;
    this.#trust = trust;
    this.#origin = origin;
    this.#clock = clock;
  }

  send(call: OutgoingCall, sink: AnswerSink): Flow {
    const request = requestText(call, this.address);
    if (request === undefined) {
      this.#other ??= new HttpUpstream(this.#origin, this.#trust);
      return this.#other.send(call, sink);
    }
    const flow = new PlainFlow(request, sink);
    if (this.#closed) queueMicrotask(() => flow.fail(new UpstreamError('BROKEN', 'EOF')));
    else this.#start(flow);
    return flow;
  }

  /** Ends all connections; calls in flight fail. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#sweep?.cancel();
    for (const flow of this.#waiting) flow.fail(new UpstreamError('BROKEN', 'EOF'));
    this.#waiting.clear();
    for (const connection of this.#all) connection.destroy();
    await this.#other?.close();
  }

  /** @internal */
  free(connection: PlainConnection): void {
    connection.idleSinceMs = this.#clock.now();
    // A server may close without having said so: its end is seen until the next turn.
    if (this.#resting.push(connection) === 1) setImmediate(rested, this);
  }

  /** @internal */
  gone(connection: PlainConnection): void {
    this.#all.delete(connection);
    const at = this.#idle.indexOf(connection);
    if (at !== -1) this.#idle.splice(at, 1);
    this.#serveNext();
  }

  /** @internal */
  rested(): void {
    const rested = this.#resting;
    this.#resting = [];
    for (const connection of rested) if (!connection.destroyed) this.#idle.push(connection);
    for (let left = this.#idle.length; left > 0 && this.#waiting.size > 0; left -= 1) {
      this.#serveNext();
    }
    if (this.#idle.length > 0 && !this.#closed) this.#sweep ??= this.#sweepLater();
  }

  #start(flow: PlainFlow): void {
    const nowMs = this.#clock.now();
    const connection = this.#take(nowMs);
    if (connection !== undefined) {
      if (nowMs - connection.idleSinceMs < LOOK_MS) connection.send(flow);
      else setImmediate(() => this.#afterLook(connection, flow));
      return;
    }
    if (this.#all.size >= MAX_CONNECTIONS) {
      flow.queue = this.#waiting.add(flow);
      return;
    }
    const dialed = new PlainConnection(this);
    this.#all.add(dialed);
    dialed.send(flow);
  }

  /** What lay on the connection has been read by now. */
  #afterLook(connection: PlainConnection, flow: PlainFlow): void {
    if (!connection.destroyed && !flow.done) connection.send(flow);
    else {
      if (!connection.destroyed) this.#idle.push(connection);
      // Closed meanwhile: who would end another connection?
      if (this.#closed) flow.fail(new UpstreamError('BROKEN', 'EOF'));
      else if (!flow.done) this.#start(flow);
    }
  }

  #take(nowMs: number): PlainConnection | undefined {
    for (;;) {
      const connection = this.#idle.pop();
      if (connection === undefined) return undefined;
      if (connection.destroyed) continue;
      if (nowMs - connection.idleSinceMs < keptMs(connection)) return connection;
      connection.destroy();
    }
  }

  #serveNext(): void {
    for (const flow of this.#waiting) {
      this.#waiting.delete(flow);
      flow.queue = undefined;
      this.#start(flow);
      return;
    }
  }

  #sweepLater(): Timer {
    return this.#clock.timer(KEEP_ALIVE_MS / 4, () => {
      this.#sweep = undefined;
      const nowMs = this.#clock.now();
      for (const connection of this.#idle.slice()) {
        if (nowMs - connection.idleSinceMs >= keptMs(connection)) connection.destroy();
      }
      if (this.#idle.length > 0) this.#sweep = this.#sweepLater();
    });
  }
}

function tlsOptions(host: string, { anyCertificate, tls }: UpstreamTrust): ConnectionOptions {
  return {
    ...tls,
    // A name to ask for, which an address is not.
    servername: net.isIP(host) === 0 ? host : '',
    ALPNProtocols: ['http/1.1'],
    ...(anyCertificate === true ? { rejectUnauthorized: false } : {}),
  };
}

function rested(upstream: PlainUpstream): void {
  upstream.rested();
}

/** `timeout=5` is Node's own answer, where it says how long. */
function keptMs({ keepAlive }: PlainConnection): number {
  const seconds = keepAlive === undefined ? undefined : /timeout=(\d+)/.exec(keepAlive)?.[1];
  if (seconds === undefined) return KEEP_ALIVE_MS;
  return Number(seconds) * 1_000 - HINT_MARGIN_MS;
}
