import { circuitBreaker, type Pipeline, pipeline, retry, timeout } from '@holdfast/core';
import type { TraceContext } from '@holdfast/core/trace';
import { deadlineHeader } from '../deadline-header.ts';
import { httpFailureRules, httpRetryRules, isIdempotentMethod } from '../status-rules.ts';
import { traceHeaders } from '../trace-headers.ts';
import { discardResponse } from './discard-response.ts';

export interface ClientOptions {
  /** What paths are relative to, its own path included: `http://127.0.0.1:8001/api`. */
  readonly baseUrl: string;

  /**
   * What each request passes. Spread `httpRetryRules` and `httpFailureRules`
   * into its `retry` and `circuitBreaker`, or they see every answer as a success.
   *
   * @default `httpPipeline(host of baseUrl)`
   */
  readonly pipeline?: Pipeline;

  /** @default the runtime's */
  readonly fetch?: typeof globalThis.fetch;

  /** Sent with every request; a request's own win. @default none */
  readonly headers?: Readonly<Record<string, string>>;
}

/** One request. A body must be able to be sent twice, so it cannot be a stream. */
export interface RequestOptions {
  /** @default 'GET', or 'POST' with a body */
  readonly method?: string;
  /** They win over the client's own. @default none */
  readonly headers?: Readonly<Record<string, string>>;
  /** @default none */
  readonly body?: string | Uint8Array<ArrayBuffer> | URLSearchParams | FormData | Blob;
  /** Sent as JSON, with its content type; instead of `body`. @default none */
  readonly json?: unknown;
  /** Ends the request, waits included. After the answer it ends the reading of its body as well. @default nothing does */
  readonly signal?: AbortSignal;
  /** Total time, retries and waits included, in milliseconds; told to the callee. @default no limit */
  readonly deadlineMs?: number;
  /** Whether an attempt that may have been executed may be repeated. @default by the method: POST and PATCH are not */
  readonly idempotent?: boolean;
  /** The trace to pass on, from `traceFrom(request.headers)`. @default none */
  readonly trace?: TraceContext;
}

/** A small client on `fetch`: answers are `Response`s, whatever their status, once retries are used up. */
export interface HttpClient {
  /**
   * Rejects with a `PolicyError` when a policy refused or cut it short, with
   * `fetch`'s error when no answer came. Throws a `TypeError` for a `body` beside `json`, and for a path that
   * leads to another origin: what the client sends with every request is not for that one.
   */
  request(path: string, options?: RequestOptions): Promise<Response>;
}

/** Retry, circuit breaker and a time-out of 10 s per attempt, with the rules of HTTP. */
export function httpPipeline(name: string): Pipeline {
  return pipeline(name, [
    retry({ ...httpRetryRules, maxRetries: 2 }),
    circuitBreaker({ ...httpFailureRules }),
    timeout({ limitMs: 10_000 }),
  ]);
}

/** Makes a client for one service. Throws a `TypeError` where `baseUrl` is none. */
export function createClient(options: ClientOptions): HttpClient {
  const base = new URL(options.baseUrl.endsWith('/') ? options.baseUrl : `${options.baseUrl}/`);
  const { pipeline: policies = httpPipeline(base.host), fetch = globalThis.fetch } = options;

  return {
    request(path, request = {}) {
      const url = urlOf(path, base);
      const { body, type } = bodyOf(request);
      const method = request.method ?? (body === undefined ? 'GET' : 'POST');
      const headers = {
        ...(type === undefined ? {} : { 'content-type': type }),
        ...inLowerCase(options.headers),
        ...traceHeaders(request.trace),
        ...inLowerCase(request.headers),
      };
      return policies.execute(
        ({ signal, remainingMs }) =>
          fetch(url, {
            method,
            headers: { ...headers, ...deadlineHeader(remainingMs) },
            signal,
            ...(body === undefined ? {} : { body }),
          }),
        {
          idempotent: request.idempotent ?? isIdempotentMethod(method),
          discard: (response) => void discardResponse(response),
          ...(request.signal === undefined ? {} : { signal: request.signal }),
          ...(request.deadlineMs === undefined ? {} : { deadlineMs: request.deadlineMs }),
        },
      );
    },
  };
}

/** Names that differ in case alone are one header to HTTP, and two values of it to `fetch`. */
function inLowerCase(headers: Readonly<Record<string, string>> = {}): Record<string, string> {
  const entries = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]);
  return Object.fromEntries(entries);
}

function urlOf(path: string, base: URL): URL {
  const url = new URL(path.replace(/^\/+/, ''), base);
  // "http://elsewhere/", and with backslashes as well: from whoever may choose the path.
  if (url.origin === base.origin) return url;
  throw new TypeError(
    `A path of the client of ${base.origin} must not lead to another origin, ${url.origin}. Make a client for that.`,
  );
}

function bodyOf({ body, json }: RequestOptions) {
  if (json !== undefined && body !== undefined) {
    throw new TypeError('A request has either a body or json, not both.');
  }
  if (json === undefined) return { body, type: undefined };
  return { body: JSON.stringify(json), type: 'application/json' };
}
