import type { Clock } from '@holdfast/core';
import type { Upstream } from '../flow/answer.ts';
import type { CountRpc } from '../metrics/sidecar-metrics.ts';
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

export interface GrpcAppOptions {
  /** Its certificate is not looked at. */
  readonly tls: boolean;
  /** Longest message either way. */
  readonly maxBodyBytes: number;
  readonly clock: Clock;
  readonly calledRpc: CountRpc;
}

/** `address` is `host:port`. */
export function openGrpcApp(
  address: string,
  { calledRpc, clock, maxBodyBytes, tls }: GrpcAppOptions,
): GrpcWay {
  const connection = new GrpcConnection({ address, tls, clock, counted: calledRpc });
  return {
    app: new GrpcApp(connection, maxBodyBytes),
    questions: new GrpcQuestions(connection),
    close: () => connection.close(),
  };
}
