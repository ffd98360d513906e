import type { Code } from '@connectrpc/connect';
import { statusName } from '../grpc/status/rpc-status.ts';

/** An error of which the pluggable component says how clients of each protocol are to be told. */
export class WordedError extends Error {
  override readonly name = 'WordedError';
  readonly code: Code;
  /** For HTTP clients. */
  readonly status: number;
  /** The `errorCode` of HTTP's errors. */
  readonly errorCode: string;
  /** Without the code. */
  readonly words: string;
  /** An `ErrorInfo`. */
  readonly detail: object;

  constructor(
    words: string,
    facts: Pick<WordedError, 'code' | 'status' | 'errorCode' | 'detail'>,
    cause: unknown,
  ) {
    super(`api error: code = ${statusName(facts.code)} desc = ${words}`, { cause });
    this.words = words;
    this.code = facts.code;
    this.status = facts.status;
    this.errorCode = facts.errorCode;
    this.detail = facts.detail;
  }
}
