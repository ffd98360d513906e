import type { AnswerSink, Flow } from '../flow/answer.ts';
import { fixedAnswer } from '../flow/fixed-answer.ts';
import { without } from '../flow/headers/answer-headers.ts';
import { headerValue } from '../flow/headers/header-value.ts';
import { PendingAnswer } from '../flow/pending-answer.ts';
import { isKeepable } from './cache-key.ts';

/** An answer as policies pass it on: whole, for any number of callers, or streaming, for one. */
export interface KeptAnswer {
  readonly status: number;
  /** Whether a cache may give it again. */
  readonly keepable: boolean;
  /** What it takes in memory. */
  readonly bytes: number;
  /** The answer for one caller; undefined where another has it already. */
  take(nowMs: number): PendingAnswer | undefined;
  /** Nobody wants it. */
  discard(): void;
}

/** Belongs to the call that was answered, not to those that get the answer again. */
const OF_ONE_CALL = new Set(['traceparent', 'tracestate', 'baggage']);

/** Head, entry and the rest of what an answer takes beside its body, about. */
const OVERHEAD_BYTES = 512;

export class WholeAnswer implements KeptAnswer {
  readonly status: number;
  readonly keepable: boolean;
  readonly bytes: number;
  readonly #headers: readonly string[];
  readonly #body: Buffer;
  readonly #storedMs: number;

  constructor(status: number, headers: readonly string[], body: Buffer, storedMs: number) {
    this.status = status;
    this.#headers = without(headers, OF_ONE_CALL);
    this.#body = body;
    this.#storedMs = storedMs;
    this.keepable = isKeepable(status, headers);
    const head = headers.reduce((sum, text) => sum + text.length, 0);
    this.bytes = OVERHEAD_BYTES + head + body.length;
  }

  take(nowMs: number): PendingAnswer {
    const headers = [...this.#headers];
    const seconds = Math.floor((nowMs - this.#storedMs) / 1_000);
    if (seconds > 0 && headerValue(headers, 'age') === undefined)
      headers.push('age', String(seconds));
    return fixedAnswer(this.status, headers, this.#body);
  }

  discard(): void {}
}

export class StreamedAnswer implements KeptAnswer {
  readonly keepable = false;
  readonly bytes = 0;
  #answer: PendingAnswer | undefined;
  readonly status: number;

  constructor(answer: PendingAnswer) {
    this.#answer = answer;
    this.status = answer.status;
  }

  take(): PendingAnswer | undefined {
    const answer = this.#answer;
    this.#answer = undefined;
    return answer;
  }

  discard(): void {
    this.take()?.discard();
  }
}

/**
 * Waits for the whole of an answer, so that more than one can have it; one of
 * over `limitBytes`, or without an end, goes on as a stream. Rejects where it breaks off.
 */
export function holdAnswer(
  answer: PendingAnswer,
  limitBytes: number,
  nowMs: () => number,
): Promise<KeptAnswer> {
  if (isEndless(answer.headers)) return Promise.resolve(new StreamedAnswer(answer));
  return new Promise((resolve, reject) => {
    answer.forwardTo(new Holder(limitBytes, nowMs, resolve, reject));
  });
}

function isEndless(headers: readonly string[]): boolean {
  return headerValue(headers, 'content-type')?.startsWith('text/event-stream') === true;
}

/** Collects an answer; from the limit on it passes everything to a stream of its own. */
class Holder implements AnswerSink {
  readonly #limitBytes: number;
  readonly #nowMs: () => number;
  readonly #resolve: (answer: KeptAnswer) => void;
  readonly #reject: (error: Error) => void;
  #status = 0;
  #headers: string[] = [];
  #flow: Flow | undefined;
  #chunks: Buffer[] = [];
  #bytes = 0;
  #rest: PendingAnswer | undefined;

  constructor(
    limitBytes: number,
    nowMs: () => number,
    resolve: (answer: KeptAnswer) => void,
    reject: (error: Error) => void,
  ) {
    this.#limitBytes = limitBytes;
    this.#nowMs = nowMs;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  head(status: number, headers: string[], flow: Flow): void {
    this.#status = status;
    this.#headers = headers;
    this.#flow = flow;
  }

  data(chunk: Buffer): void {
    if (this.#rest !== undefined) {
      this.#rest.data(chunk);
      return;
    }
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    if (this.#bytes > this.#limitBytes) this.#overflow();
  }

  end(last: Buffer | null): void {
    if (this.#rest !== undefined) {
      this.#rest.end(last);
      return;
    }
    if (last !== null) this.#chunks.push(last);
    const body = this.#chunks.length === 1 ? this.#chunks[0]! : Buffer.concat(this.#chunks);
    // One that came in one piece is over the limit here for the first time.
    if (body.length > this.#limitBytes) {
      this.#resolve(new StreamedAnswer(fixedAnswer(this.#status, this.#headers, body)));
    } else this.#resolve(new WholeAnswer(this.#status, this.#headers, body, this.#nowMs()));
  }

  fail(error: Error): void {
    if (this.#rest !== undefined) this.#rest.fail(error);
    else this.#reject(error);
  }

  #overflow(): void {
    const rest = new PendingAnswer(
      () => {},
      () => {},
    );
    this.#rest = rest;
    rest.head(this.#status, this.#headers, this.#flow!);
    for (const chunk of this.#chunks) rest.data(chunk);
    this.#chunks = [];
    this.#resolve(new StreamedAnswer(rest));
  }
}
