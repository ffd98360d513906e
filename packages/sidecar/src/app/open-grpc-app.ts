import type { Upstream } from '../flow/answer.ts';
import { GrpcApp } from './grpc-app.ts';
import { GrpcConnection } from './grpc-connection.ts';
import { GrpcQuestions } from './grpc-questions.ts';

/** The ways to an application that speaks gRPC, over one connection. */
export interface GrpcWay {
  /** For calls. */
  readonly app: Upstream;
  /** For what the sidecar asks by itself. */
  readonly questions: Upstream;
  close(): void;
}

/** `address` is `host:port`; `maxBodyBytes` the longest message either way. */
export function openGrpcApp(
  address: string,
  { tls, maxBodyBytes }: { readonly tls: boolean; readonly maxBodyBytes: number },
): GrpcWay {
  const connection = new GrpcConnection(address, tls);
  return {
    app: new GrpcApp(connection, maxBodyBytes),
    questions: new GrpcQuestions(connection),
    close: () => connection.close(),
  };
}
