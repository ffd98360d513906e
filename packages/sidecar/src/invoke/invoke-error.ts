import { isPolicyError, type PolicyError, type PolicyErrorCode } from '@holdfast/core';
import { withoutCredentials } from '../flow/headers/without-credentials.ts';
import { BodyStalledError, BodyTooLargeError } from '../flow/request-body.ts';
import { UpstreamError } from '../flow/upstream-error.ts';
import { writeStruct } from '../go-json/write-json.ts';

/** What the client of a failed invocation gets. */
export interface InvokeAnswer {
  readonly status: number;
  readonly body: string;
  readonly headers: string[];
}

/** Our refusals in the words of Dapr's Go libraries, which its users' clients know. */
const REFUSALS: Readonly<Record<PolicyErrorCode, string>> = {
  CIRCUIT_OPEN: 'circuit breaker is open',
  CIRCUIT_BUSY: 'too many requests',
  TIMED_OUT: 'context deadline exceeded',
  DEADLINE_EXCEEDED: 'context deadline exceeded',
  BULKHEAD_FULL: 'bulkhead is full',
  QUEUE_TIMED_OUT: 'bulkhead queue timed out',
  RATE_LIMITED: 'rate limit exceeded',
  LIMIT_EXCEEDED: 'adaptive limit exceeded',
  THROTTLED: 'throttled',
  SHED: 'shed under overload',
};

/**
 * The answer to an invocation that brought none from the application: Dapr's
 * status and body, and what Dapr leaves out in headers beside them.
 */
export function invokeAnswer(id: string, error: unknown, attempts: number): InvokeAnswer {
  if (error instanceof BodyTooLargeError) return failure(413, id, error.message);
  if (error instanceof BodyStalledError) return failure(408, id, error.message);

  const headers = ['holdfast-attempts', String(attempts)];
  if (isPolicyError(error)) headers.push(...refusalHeaders(error));
  if (!isDenied(error)) return { ...failure(500, id, failureWords(error)), headers };
  headers.push('holdfast-refused-by', 'accessControl');
  return { ...failure(403, id, failureWords(error)), headers };
}

/** The callee's access control said no. */
function isDenied(error: unknown): boolean {
  return error instanceof UpstreamError && error.code === 'DENIED';
}

/** What failed a call; a refusal of ours in Dapr's words. */
export function failureWords(error: unknown): string {
  if (isPolicyError(error)) return REFUSALS[error.code];
  return error instanceof Error ? error.message : String(error);
}

/** Who refused, and when to come back. */
export function refusalHeaders({ policy, retryAfterMs }: PolicyError): string[] {
  const headers = ['holdfast-refused-by', latin1(policy)];
  if (retryAfterMs !== undefined) {
    headers.push('retry-after', String(Math.ceil(retryAfterMs / 1000)));
  }
  return headers;
}

/** No header, no user name and no path said whom the request is for. */
export const NO_APP_ID: InvokeAnswer = {
  status: 404,
  body: directInvoke('failed getting app id either from the URL path or the header dapr-app-id'),
  headers: [],
};

function failure(status: number, id: string, why: string): InvokeAnswer {
  const message = withoutCredentials(`failed to invoke, id: ${id}, err: ${why}`);
  return { status, body: directInvoke(message), headers: [] };
}

function directInvoke(message: string): string {
  return writeStruct({ errorCode: 'ERR_DIRECT_INVOKE', message });
}

/** Policy names come from a file and may hold anything; headers may not. */
export function latin1(text: string): string {
  return text.replace(/[^\u0020-\u007e]/g, '?');
}
