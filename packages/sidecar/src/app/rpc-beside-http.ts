import type { Clock } from '@holdfast/core';
import type { AnswerSink, Flow, OutgoingCall, Upstream } from '../flow/answer.ts';
import { UpstreamError } from '../flow/upstream-error.ts';
import type { GrpcConnection } from './grpc-connection.ts';

type Pass = (call: OutgoingCall, sink: AnswerSink) => Flow;

/**
 * gRPC that is passed on to an application whose sidecar was told that it speaks HTTP. It may speak
 * both at its port: as daprd does, we ask it. What gRPC takes is loaded with the first such call.
 */
export class RpcBesideHttp implements Upstream {
  readonly #address: string;
  readonly #clock: Clock;
  #pass: Promise<Pass> | undefined;
  #connection: GrpcConnection | undefined;

  /** `address` is `host:port`. */
  constructor(address: string, clock: Clock) {
    this.#address = address;
    this.#clock = clock;
  }

  send(call: OutgoingCall, sink: AnswerSink): Flow {
    let flow: Flow | undefined;
    let given: Error | undefined;
    this.#pass ??= this.#load();
    void this.#pass
      .then((pass) => {
        if (given === undefined) flow = pass(call, sink);
      })
      // A header that HTTP/2 cannot have: nothing was sent.
      .catch((error: Error) => sink.fail(new UpstreamError('REFUSED', error.message, error)));
    return {
      pause: () => flow?.pause(),
      resume: () => flow?.resume(),
      abort(reason) {
        given = reason;
        flow?.abort(reason);
      },
    };
  }

  close(): void {
    this.#connection?.close();
  }

  async #load(): Promise<Pass> {
    const [{ GrpcConnection }, { passRpc }] = await Promise.all([
      import('./grpc-connection.ts'),
      import('./pass-rpc.ts'),
    ]);
    const connection = new GrpcConnection({ address: this.#address, clock: this.#clock });
    this.#connection = connection;
    return (call, sink) => passRpc(connection, call, sink);
  }
}
