/** One HTTP request, as it is to reach the other service. */
export interface Invocation {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array<ArrayBuffer>;
  readonly signal?: AbortSignal;
}

/** Calls other services by name, through this service's own sidecar. */
export interface SidecarClient {
  /** The other service's answer, whatever its status. Throws `UnreachableError` when there is none. */
  invoke(app: string, path: string, invocation?: Invocation): Promise<Response>;
  /** Rejects while our own sidecar does not answer. */
  ping(): Promise<void>;
}

/** No answer came from that service: it is down, or its sidecar is, or ours. */
export class UnreachableError extends Error {
  override readonly name = 'UnreachableError';
  readonly code = 'UNREACHABLE';
  readonly app: string;

  constructor(app: string, why: string, cause?: unknown) {
    super(`No answer from ${app}: ${why}`, cause === undefined ? undefined : { cause });
    this.app = app;
  }
}

/** @param httpPort where our own sidecar listens (Dapr's DAPR_HTTP_PORT) */
export function sidecarClient(httpPort: number): SidecarClient {
  const base = `http://127.0.0.1:${httpPort}/v1.0`;
  return {
    async ping() {
      const { ok, status } = await fetch(`${base}/healthz`);
      if (!ok) throw new Error(`Our sidecar is not well: ${status}.`);
    },
    async invoke(app, path, { method = 'GET', headers = {}, body, signal } = {}) {
      let response: Response;
      try {
        response = await fetch(`${base}/invoke/${app}/method${path}`, {
          method,
          headers,
          ...(body === undefined ? {} : { body }),
          ...(signal === undefined ? {} : { signal }),
        });
      } catch (cause) {
        if (signal?.aborted) throw signal.reason;
        throw new UnreachableError(app, 'our own sidecar does not answer', cause);
      }
      // 500 is the sidecar speaking: the platform's services never answer it themselves
      // without a body of their own, and the sidecar's has an errorCode.
      if (response.status === 500) {
        const answer = await response
          .clone()
          .json()
          .catch(() => undefined);
        if (isSidecarError(answer)) throw new UnreachableError(app, answer.message);
      }
      return response;
    },
  };
}

/** Dapr's way of saying that the call did not get through. */
function isSidecarError(body: unknown): body is { errorCode: string; message: string } {
  return (
    typeof body === 'object' &&
    body !== null &&
    'errorCode' in body &&
    'message' in body &&
    typeof body.errorCode === 'string' &&
    body.errorCode.startsWith('ERR_')
  );
}
