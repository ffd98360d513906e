import type { Socket } from 'node:net';
import type { Clock } from '@holdfast/core';
import { GrpcConnection } from '../../app/grpc-connection.ts';
import { passRpc } from '../../app/pass-rpc.ts';
import { RPC_VERB } from '../../app/rpc-answer.ts';
import type { AnswerSink, Flow, OutgoingCall, Upstream } from '../../flow/answer.ts';
import { LocalCall } from './local-call.ts';

export interface DaprPeerOptions {
  /** `host:port`, as errors name it. */
  readonly address: string;
  readonly clock: Clock;
  /** Longest message either way. */
  readonly maxBodyBytes: number;
  /** A connection to the address, as the two sides know each other. */
  readonly dial: () => Socket;
  /** Told when the last connection has ended: another make may be there the next time. */
  readonly gone: () => void;
}

/** A sidecar that is daprd: it is called as its own kind calls it. */
export class DaprPeer implements Upstream {
  readonly #connection: GrpcConnection;
  readonly #maxBodyBytes: number;

  constructor({ address, clock, dial, gone, maxBodyBytes }: DaprPeerOptions) {
    this.#maxBodyBytes = maxBodyBytes;
    this.#connection = new GrpcConnection({ address, clock, dial, gone });
  }

  send(call: OutgoingCall, sink: AnswerSink): Flow {
    if (call.method === RPC_VERB) return passRpc(this.#connection, call, sink);
    return new LocalCall(this.#connection, call, sink, this.#maxBodyBytes);
  }

  /** What is under way ends where it is; what comes is sent over new connections. */
  retire(): void {
    this.#connection.retire();
  }

  close(): void {
    this.#connection.close();
  }
}
