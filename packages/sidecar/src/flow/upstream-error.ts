/**
 * Why there is no (whole) answer.
 *
 * - `UNREACHABLE`: no connection came about; nothing was sent.
 * - `BROKEN`: the connection ended before the answer did; the call may have been executed.
 * - `REFUSED`: the other side's sidecar or this one said no, or the call cannot be written as HTTP.
 * - `DENIED`: the other side's access control let the call not in.
 * - `NO_ADDRESS`: no sidecar is known for the app id.
 */
export type UpstreamErrorCode = 'UNREACHABLE' | 'BROKEN' | 'REFUSED' | 'DENIED' | 'NO_ADDRESS';

/** A call that ended without an answer of the application. The message is what daprd's clients read. */
export class UpstreamError extends Error {
  readonly code: UpstreamErrorCode;

  constructor(code: UpstreamErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'UpstreamError';
    this.code = code;
  }
}

/** The client went away; nobody is left to hear of it. */
export class ClientGoneError extends Error {
  readonly code = 'CLIENT_GONE';

  constructor() {
    super('The client closed its connection before the answer was complete.');
    this.name = 'ClientGoneError';
  }
}
