import { Agent, type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http';
import { type Clock, systemClock } from '@holdfast/core';

/** One request of a drill. */
export interface DrillRequest {
  /** @default 'GET' */
  readonly method?: string;

  /** Path and query, beginning with a slash. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;

  /** Sent as a form, as `curl -d "a=b&c=d"` does. */
  readonly form?: Readonly<Record<string, string>>;

  /** In milliseconds. @default the client's */
  readonly deadlineMs?: number;
}

/** What came of a request. Never an exception: a refused connection is an answer to a drill too. */
export interface Answer {
  /** 0 when there was no complete answer. */
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;

  /** The body, if it is a JSON object; otherwise an object without fields. */
  readonly json: Readonly<Record<string, unknown>>;

  /** From the first try to connect to the last byte, ms. */
  readonly tookMs: number;

  /** Why there was no complete answer. */
  readonly problem?: string;

  /** False only if it is certain that the request never reached anybody. */
  readonly reached: boolean;
}

export interface HttpClient {
  readonly baseUrl: string;
  send(request: DrillRequest, signal?: AbortSignal): Promise<Answer>;
  close(): void;
}

export interface HttpClientOptions {
  /** Scheme, host and port, without a slash at the end. */
  readonly baseUrl: string;

  /** No request takes longer, connecting included. @default 60_000 ms */
  readonly deadlineMs?: number;

  /** A longer body counts as no answer. @default 16 MiB */
  readonly maxBodyBytes?: number;

  /** @default systemClock */
  readonly clock?: Clock;
}

/** Makes a client that keeps connections alive between requests, as many as there are requests in flight. */
export function httpClient(options: HttpClientOptions): HttpClient {
  const {
    baseUrl,
    deadlineMs = 60_000,
    maxBodyBytes = 16 * 2 ** 20,
    clock = systemClock,
  } = options;
  const agent = new Agent({ keepAlive: true });

  return {
    baseUrl,
    close: () => agent.destroy(),
    async send(asked, signal) {
      const startedMs = clock.now();
      const limit = new AbortController();
      const limitMs = asked.deadlineMs ?? deadlineMs;
      const timer = clock.timer(limitMs, () =>
        limit.abort(new Error(`no answer within ${limitMs} ms`)),
      );
      const signals = signal === undefined ? [limit.signal] : [limit.signal, signal];
      try {
        const response = await exchange(baseUrl, asked, agent, AbortSignal.any(signals));
        const text = await readBody(response, maxBodyBytes);
        const { statusCode = 0, headers } = response;
        const tookMs = clock.now() - startedMs;
        return {
          status: statusCode,
          headers,
          text,
          json: parseObject(text),
          tookMs,
          reached: true,
        };
      } catch (error) {
        return unanswered(error, limit.signal, clock.now() - startedMs);
      } finally {
        timer.cancel();
      }
    },
  };
}

/** The request's body and the headers that go with it. */
export function encodeForm(form: DrillRequest['form']): string | undefined {
  return form && new URLSearchParams(form).toString();
}

function exchange(
  baseUrl: string,
  { method = 'GET', path, headers, form }: DrillRequest,
  agent: Agent,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const body = encodeForm(form);
  const type = body === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded' };
  return new Promise((resolve, reject) => {
    const outgoing = request(new URL(path, baseUrl), {
      method,
      agent,
      signal,
      headers: { ...type, 'content-length': Buffer.byteLength(body ?? ''), ...headers },
    });
    outgoing.once('response', resolve).once('error', reject).end(body);
  });
}

async function readBody(response: IncomingMessage, maxBodyBytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  let bodyBytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bodyBytes += chunk.length;
    if (bodyBytes > maxBodyBytes) throw new Error(`a body longer than ${maxBodyBytes} bytes`);
    chunks.push(chunk);
  }
  // Node ends the stream quietly when the connection breaks inside a chunked body.
  if (!response.complete) throw new Error('the connection broke inside the answer');
  return Buffer.concat(chunks).toString('utf8');
}

function unanswered(error: unknown, limit: AbortSignal, tookMs: number): Answer {
  const reason: unknown = limit.aborted ? limit.reason : error;
  const problem = reason instanceof Error ? reason.message : String(reason);
  const reached = (error as NodeJS.ErrnoException).code !== 'ECONNREFUSED';
  return { status: 0, headers: {}, text: '', json: {}, tookMs, problem, reached };
}

function parseObject(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject ? (value as Record<string, unknown>) : {};
  } catch {
    // Not JSON; the text is there for whoever wants to see it.
    return {};
  }
}
