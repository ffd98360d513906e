import type { ServerResponse } from 'node:http';
import type { Clock, Timer } from '@holdfast/core';
import type { AnswerSink, Flow } from './answer.ts';
import { endWith } from './end-with.ts';
import { without } from './headers/answer-headers.ts';
import { httpHeaders } from './headers/http-headers.ts';

const LENGTH: ReadonlySet<string> = new Set(['content-length']);

/**
 * Passes an answer on to an HTTP client, no faster than it reads. A client that
 * stops reading for `stallMs` loses its connection, so that it cannot hold the
 * sender's.
 */
export class ClientAnswer implements AnswerSink {
  readonly #res: ServerResponse;
  readonly #clock: Clock;
  readonly #stallMs: number;
  readonly #failed: (error: Error) => void;
  #flow: Flow | undefined;
  #stalled: Timer | undefined;
  #written = false;

  /** `failed` answers in words when there was no head yet; later the connection is cut. */
  constructor(res: ServerResponse, clock: Clock, stallMs: number, failed: (error: Error) => void) {
    this.#res = res;
    this.#clock = clock;
    this.#stallMs = stallMs;
    this.#failed = failed;
  }

  head(status: number, headers: string[], flow: Flow, whole = false): void {
    this.#flow = flow;
    // Content that there cannot be has no length either (RFC 9110 §8.6), whatever the sender says.
    const sent = status === 204 ? without(headers, LENGTH) : headers;
    this.#res.writeHead(status, httpHeaders(sent));
    // With the body if it comes in this turn; by itself if not: node would wait for a body.
    if (!whole) process.nextTick(flushHead, this);
  }

  flushHead(): void {
    if (!this.#written && !this.#res.destroyed) this.#res.flushHeaders();
  }

  data(chunk: Buffer): void {
    this.#written = true;
    if (this.#res.write(chunk) || this.#stalled !== undefined) return;
    this.#flow?.pause();
    this.#stalled = this.#clock.timer(this.#stallMs, () => this.#res.destroy());
    this.#res.once('drain', this.#goOn);
    this.#res.once('close', this.#goOn);
  }

  end(last: Buffer | null): void {
    this.#written = true;
    if (last === null) this.#res.end();
    else endWith(this.#res, last);
  }

  fail(error: Error): void {
    // Half an answer must not look whole: no last chunk, no end, just a cut connection.
    if (this.#res.headersSent) this.#res.destroy();
    else this.#failed(error);
  }

  readonly #goOn = (): void => {
    this.#stalled?.cancel();
    this.#stalled = undefined;
    this.#res.off('drain', this.#goOn);
    this.#res.off('close', this.#goOn);
    this.#flow?.resume();
  };
}

function flushHead(answer: ClientAnswer): void {
  answer.flushHead();
}
