import type { ClientHttp2Stream, Http2Session } from 'node:http2';
import type { Socket } from 'node:net';
import { addAbortSignal } from 'node:stream';
import type { Clock } from '@holdfast/core';
import { addHeader, type HeaderMap } from '../flow/headers/add-header.ts';
import type { CountRpc } from '../metrics/sidecar-metrics.ts';
import { GrpcSessions } from './grpc-sessions.ts';
import type { StreamEnd } from './rpc-failure.ts';

export interface GrpcConnectionOptions {
  /** `host:port` */
  readonly address: string;
  /** The certificate is not looked at, for it is on this machine, as in Dapr. @default false */
  readonly tls?: boolean;
  readonly clock: Clock;
  /** Told of each call that has ended. @default nobody is */
  readonly counted?: CountRpc;
  /** Where connections are not as `address` and `tls` say. */
  readonly dial?: () => Socket;
  /** Told when there is no connection any more. */
  readonly gone?: () => void;
}

/** The way to who speaks gRPC: our application, or a sidecar that is daprd. */
export class GrpcConnection {
  /** `host:port`, as errors name it. */
  readonly address: string;
  /** Told of each callback that has ended. */
  readonly counted: CountRpc;
  readonly clock: Clock;
  readonly #sessions: GrpcSessions;

  constructor({ address, clock, counted, dial, gone, tls = false }: GrpcConnectionOptions) {
    this.address = address;
    this.clock = clock;
    this.counted = counted ?? (() => {});
    this.#sessions = new GrpcSessions(`${tls ? 'https' : 'http'}://${address}`, clock, {
      dial,
      gone,
    });
  }

  /** Begins a call; `headers` as `name, value, …`. What becomes of the connection is the stream's `error`. */
  begin(path: string, headers: readonly string[]): ClientHttp2Stream {
    const all: HeaderMap = { ':method': 'POST', ':path': path };
    for (let at = 0; at + 1 < headers.length; at += 2) {
      addHeader(all, headers[at]!, headers[at + 1]!);
    }
    all['content-type'] ??= 'application/grpc';
    // Clients of gRPC have one; applications log it.
    all['user-agent'] ??= 'holdfast';
    all.te = 'trailers';
    return this.#sessions.request(all);
  }

  /** How a stream ended that has no trailers. `session` is the one that it was begun on: it forgets. */
  endOf(
    stream: ClientHttp2Stream,
    session: Http2Session | undefined,
    error: Error | undefined,
    responded: boolean,
  ): StreamEnd {
    return {
      address: this.address,
      error,
      gone: session === undefined || session.destroyed,
      greeted: session !== undefined && this.#sessions.isGreeted(session),
      responded,
      rstCode: stream.rstCode ?? 0,
      sent: stream.id !== undefined,
    };
  }

  /** Connections end with the calls that are on them. */
  retire(): void {
    this.#sessions.retire();
  }

  close(): void {
    this.#sessions.close();
  }
}

/**
 * Gives a call up (`RST_STREAM`, `CANCEL`). Not by `close`, which says first
 * that the client's messages are at their end: the application would take what
 * broke off for a whole.
 */
export function cancel(stream: ClientHttp2Stream): void {
  if (!stream.destroyed) addAbortSignal(AbortSignal.abort(), stream);
}
