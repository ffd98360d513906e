import { Code } from '@connectrpc/connect';
import { httpStatusOf } from '../../grpc/status/rpc-status.ts';
import { PluggedError } from '../../pluggable/plugged-error.ts';

/** Who publishes: a retry's `matching` is of the statuses of the client's protocol, as in Dapr. */
export type PublishingProtocol = 'http' | 'grpc';

/** A broker's failure as policies see it: with the status that its client would know it by. */
export class PublishFailure extends Error {
  override readonly name = 'PublishFailure';
  readonly status: number;
  readonly failure: unknown;

  constructor(failure: unknown, protocol: PublishingProtocol) {
    super(failure instanceof Error ? failure.message : String(failure));
    this.failure = failure;
    const code = failure instanceof PluggedError ? failure.code : Code.Unknown;
    this.status = protocol === 'http' ? httpStatusOf(code) : code;
  }
}

/** What the broker said, of what policies were shown. */
export const brokersOwn = (error: unknown): unknown =>
  error instanceof PublishFailure ? error.failure : error;
