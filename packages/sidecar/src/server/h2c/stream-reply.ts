import { EventEmitter } from 'node:events';
import http2, { type ServerHttp2Stream } from 'node:http2';
import { lowerName } from '../../flow/headers/answer-headers.ts';
import { nodeHttp } from '../node-http.ts';
import { type ReplyHead, replyHead } from './reply-head.ts';
import type { StreamRequest } from './stream-request.ts';

const { NGHTTP2_NO_ERROR } = http2.constants;

/** They speak of a connection of HTTP/1, and HTTP/2 has none of them. */
const OF_CONNECTIONS = new Set([
  'connection',
  'http2-settings',
  'keep-alive',
  'proxy-connection',
  'te',
  'transfer-encoding',
  'upgrade',
]);

/** The answer to a request that came over HTTP/2: as much of `ServerResponse` as the API uses. */
export class StreamReply extends EventEmitter {
  statusCode = 200;
  headersSent = false;
  /** Nothing more will be written. */
  ended = false;
  readonly #stream: ServerHttp2Stream;
  readonly #request: StreamRequest;
  /** Written, and not on its way: with the body's first bytes, or its end. */
  #head: ReplyHead | undefined;
  #bodiless: boolean;
  #cut = false;

  constructor(stream: ServerHttp2Stream, request: StreamRequest) {
    super();
    this.#stream = stream;
    this.#request = request;
    this.#bodiless = request.method === 'HEAD';
  }

  get destroyed(): boolean {
    return this.#cut || this.#stream.destroyed || this.#stream.closed;
  }

  get writableFinished(): boolean {
    return this.ended && !this.#cut && this.#stream.writableFinished;
  }

  /** @throws where a header or the status cannot be written, as HTTP/1 does. */
  writeHead(status: number, headers: readonly string[] = []): this {
    if (status < 200 || status > 599) throw new RangeError(`Invalid status code: ${status}`);
    const sent: string[] = [];
    for (let at = 0; at + 1 < headers.length; at += 2) {
      // HTTP/2 has no other.
      const name = lowerName(headers[at]!);
      const value = headers[at + 1]!;
      nodeHttp.validateHeaderName(name);
      nodeHttp.validateHeaderValue(name, value);
      if (!OF_CONNECTIONS.has(name)) sent.push(name, value);
    }
    this.statusCode = status;
    this.headersSent = true;
    this.#head = replyHead(status, sent);
    this.#bodiless ||= status === 204 || status === 205 || status === 304;
    return this;
  }

  flushHeaders(): void {
    this.#sendHead(false);
  }

  write(chunk: Buffer | string, encoding: BufferEncoding = 'utf8'): boolean {
    if (!this.headersSent) this.writeHead(this.statusCode);
    // What nobody reads any more need not wait.
    if (!this.#sendHead(false) || this.#bodiless) return true;
    const room = this.#stream.write(chunk, encoding);
    if (!room) this.#stream.once('drain', () => this.emit('drain'));
    return room;
  }

  end(chunk?: Buffer | string | null, encoding: BufferEncoding = 'utf8'): this {
    if (this.ended) return this;
    if (!this.headersSent) this.writeHead(this.statusCode);
    this.ended = true;
    const bytes = this.#bodiless || chunk === undefined || chunk === null || chunk.length === 0;
    const headOpen = this.#head !== undefined;
    if (!this.#sendHead(bytes)) return this;
    if (this.listenerCount('finish') > 0) this.#stream.once('finish', () => this.emit('finish'));
    if (!bytes) this.#stream.end(chunk, encoding);
    else if (!headOpen) this.#stream.end();
    // Whoever has the answer need not send the rest of its body.
    if (!this.#request.complete) this.#stream.once('finish', () => this.#enough());
    return this;
  }

  /** What was sent until now must not look like the whole answer. */
  destroy(): this {
    if (this.#cut) return this;
    this.#cut = true;
    // Not `close`, which would send the end of a body first, and nothing of what went wrong.
    this.#stream.destroy(new Error('the answer broke off'));
    return this;
  }

  #enough(): void {
    if (!this.#request.complete) this.#stream.close(NGHTTP2_NO_ERROR);
  }

  /** False: there is nobody to send anything to. */
  #sendHead(endStream: boolean): boolean {
    if (this.destroyed) return false;
    const head = this.#head;
    if (head === undefined) return true;
    this.#head = undefined;
    this.#stream.respond(head, { endStream });
    return true;
  }
}
