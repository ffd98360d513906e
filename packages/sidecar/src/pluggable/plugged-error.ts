import type { Code, ConnectError } from '@connectrpc/connect';
import { statusName } from '../grpc/status/rpc-status.ts';

/** What a pluggable component answered in place of a result, worded as Go does. */
export class PluggedError extends Error {
  override readonly name = 'PluggedError';
  readonly code: Code;
  /** Without the code. */
  readonly words: string;

  constructor(error: ConnectError) {
    super(`rpc error: code = ${statusName(error.code)} desc = ${error.rawMessage}`, {
      cause: error,
    });
    this.code = error.code;
    this.words = error.rawMessage;
  }
}
