import type { ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import { Readable } from 'node:stream';

/** Where a stream's client is no more to be found. */
const NOWHERE = {} as Socket;

/**
 * A request that came over HTTP/2, as much of `IncomingMessage` as the API
 * looks at. Node's own copy of that class says `complete` of a body that broke
 * off, and ends it as if it were whole.
 */
export class StreamRequest extends Readable {
  readonly method: string;
  readonly url: string;
  /** `name, value, …` without those that stand for HTTP/1's first line. */
  readonly rawHeaders: string[];
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly #stream: ServerHttp2Stream;
  #reading = false;
  #ended: boolean;

  constructor(
    stream: ServerHttp2Stream,
    headers: Readonly<Record<string, string | string[] | undefined>>,
    rawHeaders: readonly string[],
  ) {
    super({ highWaterMark: 64 * 1024 });
    this.#stream = stream;
    this.#ended = stream.endAfterHeaders;
    this.method = String(headers[':method']);
    this.url = String(headers[':path'] ?? '/');
    this.headers = headers;
    this.rawHeaders = http1Headers(rawHeaders);
    if (!this.#ended && headers['content-length'] === undefined) {
      // As HTTP/1 says that the body's end will be told.
      this.rawHeaders.push('transfer-encoding', 'chunked');
    }
  }

  /** Its stream has closed: there is no more of it. A request without a body has no more than its head. */
  gone(): void {
    if (!this.#stream.endAfterHeaders) this.destroy();
  }

  /** Its body has come to its end, by the client's own word. */
  get complete(): boolean {
    return this.#ended;
  }

  get socket(): Socket {
    return this.#stream.session?.socket ?? NOWHERE;
  }

  get headersDistinct(): Readonly<Record<string, string[]>> {
    // Without what objects have by themselves, of which `constructor` could be a header's name.
    const all: Record<string, string[]> = Object.create(null);
    const { rawHeaders } = this;
    for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
      all[rawHeaders[at]!] ??= [];
      all[rawHeaders[at]!]!.push(rawHeaders[at + 1]!);
    }
    return all;
  }

  override _read(): void {
    if (this.#stream.endAfterHeaders) {
      this.push(null);
      return;
    }
    if (!this.#reading) this.#begin();
    this.#stream.resume();
  }

  #begin(): void {
    this.#reading = true;
    this.#stream.on('data', (chunk: Buffer) => {
      if (!this.push(chunk)) this.#stream.pause();
    });
    this.#stream.on('end', () => {
      // Node ends a stream that was reset like one that is whole.
      if (this.#stream.closed) this.destroy();
      else {
        this.#ended = true;
        this.push(null);
      }
    });
  }
}

/** Less the pseudo headers, which come first; a cookie in pieces is one again (RFC 9113 §8.2.3). */
function http1Headers(raw: readonly string[]): string[] {
  let from = 0;
  while (from < raw.length && raw[from]!.charCodeAt(0) === COLON) from += 2;
  const headers: string[] = [];
  let cookie = -1;
  for (let at = from; at + 1 < raw.length; at += 2) {
    const name = raw[at]!;
    const value = raw[at + 1]!;
    if (name === 'cookie' && cookie !== -1) {
      headers[cookie] += `; ${value}`;
      continue;
    }
    if (name === 'cookie') cookie = headers.length + 1;
    headers.push(name, value);
  }
  return headers;
}

const COLON = 58;
