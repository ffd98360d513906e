import { isPolicyError } from '@holdfast/core';
import { BodyTooLargeError } from '../flow/request-body.ts';
import { ClientGoneError } from '../flow/upstream-error.ts';
import { CallerSignal } from '../invoke/caller-signal.ts';
import { refusalHeaders } from '../invoke/invoke-error.ts';
import type { ApiCall } from '../server/api-call.ts';
import { ApiError } from '../server/api-error.ts';
import type { Route } from '../server/api-routes.ts';
import { decodeSegment } from '../server/decode-segment.ts';
import { forClient } from './waiting-client.ts';

/** `name` is the component's, `rest` what follows it in the path: a key, a topic; both decoded. */
export type ComponentHandler = (call: ApiCall, name: string, rest: string) => Promise<void>;

/** A route of a component's API; `path` has a group for each of the two. */
export function componentRoute(method: string, path: RegExp, handle: ComponentHandler): Route {
  return {
    method,
    path,
    handle(call, [, name = '', rest = '']) {
      // What a path could not say otherwise.
      const [of, following] = [decodeSegment(name), decodeSegment(rest)];
      const givenUp = () => leaving(call.res);
      forClient(givenUp, () => handle(call, of, following)).catch((error: unknown) =>
        fail(call, error),
      );
    },
  };
}

/** Aborts when the client goes; after the answer nobody listens any more. */
function leaving(res: ApiCall['res']): AbortSignal {
  const caller = new CallerSignal();
  const gone = () => caller.abort(new ClientGoneError());
  if (res.destroyed) gone();
  else res.once('close', gone);
  return caller.asSignal;
}

function fail(call: ApiCall, error: unknown): void {
  if (error instanceof ClientGoneError || call.res.destroyed) return;
  if (error instanceof BodyTooLargeError) {
    call.error(413, { errorCode: 'ERR_BODY_READ', message: error.message });
    return;
  }
  if (!(error instanceof ApiError)) {
    call.failed(error);
    return;
  }
  const { cause, details, errorCode, message, retryAfterMs, status } = error;
  const headers = isPolicyError(cause) ? refusalHeaders(cause) : [];
  if (retryAfterMs !== undefined) {
    headers.push('retry-after', String(Math.ceil(retryAfterMs / 1_000)));
  }
  call.error(status, { errorCode, message, ...(details && { details }) }, headers);
}
