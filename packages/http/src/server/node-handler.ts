import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Call, Criticality, Pipeline } from '@holdfast/core';
import { deadlineFrom } from '../deadline-header.ts';
import { isIdempotentMethod } from '../status-rules.ts';
import { type RefusalAnswer, refusalAnswer } from './refusal-answer.ts';

/** Answers one request; what `call.signal` says ends it: nobody waits for the answer any more. */
export type Handle = (
  request: IncomingMessage,
  response: ServerResponse,
  call: Call,
) => Promise<unknown> | unknown;

export interface NodeHandlerOptions {
  /** Whose rate a request counts against: a tenant, an API key. @default nobody's */
  readonly keyOf?: (request: IncomingMessage) => string | undefined;
  /** How much a request matters when not all can be served. @default 'critical' */
  readonly criticalityOf?: (request: IncomingMessage) => Criticality;
  /** Hears what `handle` threw; the client hears only 500. @default nobody but the pipeline's listeners */
  readonly onError?: (error: unknown, request: IncomingMessage) => void;
}

/**
 * A listener for `node:http` whose requests pass `pipeline` on their way to
 * `handle`: `createServer(nodeHandler(pipeline, handle))`.
 *
 * The caller's deadline (`holdfast-deadline-ms`) and its going away end the
 * call. What a policy refuses is answered with 429, 503 or 504 and `retry-after`.
 * Leave `retry` out, or `handle` may answer twice.
 */
export function nodeHandler(
  pipeline: Pipeline,
  handle: Handle,
  { criticalityOf, keyOf, onError }: NodeHandlerOptions = {},
): (request: IncomingMessage, response: ServerResponse) => void {
  const serve = async (request: IncomingMessage, response: ServerResponse, gone: AbortSignal) => {
    const deadlineMs = deadlineFrom(request.headers);
    const key = keyOf?.(request);
    await pipeline.execute((call) => handle(request, response, call), {
      signal: gone,
      idempotent: isIdempotentMethod(request.method ?? 'GET'),
      ...(deadlineMs !== undefined && { deadlineMs }),
      ...(key !== undefined && { key }),
      ...(criticalityOf && { criticality: criticalityOf(request) }),
    });
  };
  return (request, response) => {
    const client = new AbortController();
    response.on('close', () => {
      if (!response.writableFinished) client.abort(new Error('The client has gone away.'));
    });
    serve(request, response, client.signal).catch((error: unknown) => {
      const refusal = refusalAnswer(error);
      const isNews = refusal === undefined && !client.signal.aborted;
      answer(response, refusal ?? FAILED);
      if (!isNews) return;
      try {
        onError?.(error, request);
      } catch {
        // A listener with a mistake of its own must not end the process, and the client has its answer.
      }
    });
  };
}

const FAILED: RefusalAnswer = {
  status: 500,
  headers: { 'content-type': 'application/json' },
  body: '{"error":"INTERNAL"}',
};

function answer(response: ServerResponse, { status, headers, body }: RefusalAnswer): void {
  // A handler that was left behind may write yet: that must not end the process.
  response.on('error', () => {});
  if (response.headersSent) response.destroy();
  else response.writeHead(status, headers).end(body);
}
