import type { Http2ServerResponse } from 'node:http2';
import { Code } from '@connectrpc/connect';
import type { AnswerSink, Flow } from '../../flow/answer.ts';
import { addHeader, type HeaderMap } from '../../flow/headers/add-header.ts';
import { escapedMessage, parseRpcError } from '../status/rpc-status.ts';
import { MessageScanner, parseTrailers } from '../wire/message-scanner.ts';

/** The answer to a gRPC client: messages as they come, and the trailers behind them as trailers again. */
export class ProxiedAnswer implements AnswerSink {
  /** Told once how the call ended: gRPC's code. */
  onEnd: (code: number) => void = () => {};
  ended = false;
  /** The caller's, which it has back. */
  baggage: string | undefined;
  readonly #res: Http2ServerResponse;
  readonly #scanner: MessageScanner;
  #flow: Flow | undefined;

  constructor(res: Http2ServerResponse, limitBytes: number) {
    this.#res = res;
    this.#scanner = new MessageScanner(limitBytes);
    res.on('drain', () => this.#flow?.resume());
  }

  head(status: number, headers: string[], flow: Flow): void {
    if (this.ended) {
      flow.abort(new Error('the call has ended'));
      return;
    }
    this.#flow = flow;
    if (status !== 200) {
      // It failed before the first message: its head are its trailers.
      this.#finish(status, headers);
      return;
    }
    const echoed = this.baggage ? ['baggage', this.baggage] : [];
    this.#res.writeHead(200, grouped([...echoed, ...headers]));
  }

  data(chunk: Buffer): void {
    if (this.ended) return;
    let messages: readonly Buffer[];
    try {
      messages = this.#scanner.scan(chunk);
    } catch (error) {
      this.#flow?.abort(error as Error);
      this.refuse(Code.ResourceExhausted, (error as Error).message);
      return;
    }
    for (const bytes of messages) if (!this.#res.write(bytes)) this.#flow?.pause();
  }

  end(last: Buffer | null): void {
    if (this.ended) return;
    if (last !== null) this.data(last);
    const trailers = parseTrailers(this.#scanner.trailers ?? '').flat();
    if (trailers.length === 0) {
      this.refuse(Code.Internal, 'server closed the stream without sending trailers');
    } else this.#finish(Number(valueIn(trailers, 'grpc-status')), trailers);
  }

  fail(error: Error): void {
    const { code, message } = parseRpcError(error.message) ?? {
      code: Code.Unavailable,
      message: error.message,
    };
    this.refuse(code, message);
  }

  /** The client has left before the end. */
  gone(): void {
    if (this.ended) return;
    this.ended = true;
    this.onEnd(Code.Canceled);
  }

  /** Ends the call with an error of the sidecar's own. */
  refuse(code: Code, message: string, more: readonly string[] = []): void {
    const words = ['grpc-message', escapedMessage(message)];
    this.#finish(code, ['grpc-status', String(code), ...words, ...more]);
  }

  #finish(code: number, trailers: readonly string[]): void {
    if (this.ended) return;
    this.ended = true;
    this.onEnd(code);
    const res = this.#res;
    if (res.stream.destroyed) return;
    if (!res.headersSent) res.writeHead(200, { 'content-type': 'application/grpc' });
    res.addTrailers(grouped(trailers.filter((_, at) => keeps(trailers, at))));
    res.end();
  }
}

/** Trailers have no type. */
const keeps = (list: readonly string[], at: number): boolean =>
  !/^content-(?:type|length)$/.test(list[at - (at % 2)]!);

function grouped(list: readonly string[]): HeaderMap {
  const headers: HeaderMap = {};
  for (let at = 0; at + 1 < list.length; at += 2) addHeader(headers, list[at]!, list[at + 1]!);
  return headers;
}

function valueIn(list: readonly string[], name: string): string | undefined {
  const at = list.indexOf(name);
  return at < 0 ? undefined : list[at + 1];
}
