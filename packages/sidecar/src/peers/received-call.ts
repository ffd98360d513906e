import { Readable } from 'node:stream';
import type { AnswerSink, Flow } from '../flow/answer.ts';
import { ClientGoneError } from '../flow/upstream-error.ts';
import { faultText } from './fault.ts';
import { FAULT, headText, INLINE_BYTES, MAX_HEAD_BYTES, WINDOW_BYTES } from './frame-format.ts';
import { type FrameLink, FrameStream } from './frame-link.ts';
import type { PeerCallee } from './peer-transport.ts';
import type { SpiffeId } from './spiffe-id.ts';

/** One call at the callee's end: what its application answers goes back as frames. */
export class ReceivedCall extends FrameStream implements AnswerSink {
  readonly #link: FrameLink;
  readonly #callee: PeerCallee;
  readonly #callerId: SpiffeId | undefined;
  readonly #ended: () => void;
  #flow: Flow | undefined;
  #answering: Flow | undefined;
  #body: Readable | undefined;
  #head: string | undefined;
  #owed = 0;
  #done = false;

  constructor(
    link: FrameLink,
    callee: PeerCallee,
    callerId: SpiffeId | undefined,
    ended: () => void,
  ) {
    super();
    this.#link = link;
    this.#callee = callee;
    this.#callerId = callerId;
    this.#ended = ended;
  }

  onHead(text: string, body: Buffer | null, last: boolean): void {
    // A call has one head.
    if (this.#flow !== undefined || this.#done) return;
    // Not taken apart with `...`: that goes by way of an iterator, at each call.
    const headers = text.split('\n');
    const method = headers.shift() ?? '';
    const path = headers.shift() ?? '';
    if (!last) {
      this.#body = this.#readable();
      if (body !== null) this.onData(body, false);
    }
    const call = { method, path, headers, body: this.#body ?? body, callerId: this.#callerId };
    let flow: Flow;
    try {
      flow = this.#callee.send(call, this);
    } catch (error) {
      // A fault of ours costs one call, not the connection of all the others.
      this.fail(error as Error);
      return;
    }
    this.#flow = flow;
    // The caller may have left while it was being sent.
    if (this.#done) flow.abort(new ClientGoneError());
  }

  onData(bytes: Buffer, last: boolean): void {
    if (bytes.length > 0) {
      if (this.#body?.push(bytes)) this.#link.consumed(this, bytes.length);
      else this.#owed += bytes.length;
    }
    if (last) this.#body?.push(null);
  }

  onCredit(): void {
    this.#answering?.resume();
  }

  onReset(): void {
    if (this.#done) return;
    this.#done = true;
    const gone = new ClientGoneError();
    this.#flow?.abort(gone);
    this.#body?.destroy(gone);
    this.#ended();
  }

  head(status: number, headers: string[], flow: Flow): void {
    if (this.#done) return;
    const text = headText(String(status), headers);
    if (text.length > MAX_HEAD_BYTES) {
      flow.abort(new Error('the head of the answer is too large'));
      this.fail(new Error('the head of the answer is too large'));
      return;
    }
    this.#answering = flow;
    this.#head = text;
    // With the body if it comes in this turn; by itself if not.
    process.nextTick(sendHead, this);
  }

  data(bytes: Buffer): void {
    if (this.#done) return;
    this.sendHead();
    if (!this.#link.send(this, bytes, false)) this.#answering?.pause();
  }

  end(last: Buffer | null): void {
    if (this.#done) return;
    const head = this.#head;
    const small = last === null || last.length <= INLINE_BYTES;
    if (head !== undefined && small) {
      this.#head = undefined;
      this.#link.writer.head(this.id, head, last, true);
    } else {
      this.sendHead();
      this.#link.send(this, last ?? EMPTY, true);
    }
    this.#finish();
  }

  fail(error: Error): void {
    if (this.#done) return;
    // Before the head went out the reason can be told; afterwards the answer is cut.
    if (this.#answering === undefined || this.#head !== undefined) {
      const text = Buffer.from(faultText(error)).subarray(0, INLINE_BYTES);
      this.#link.writer.head(this.id, String(FAULT), text, true);
    } else this.#link.writer.reset(this.id);
    this.#finish();
  }

  sendHead(): void {
    const head = this.#head;
    if (head === undefined || this.#done) return;
    this.#head = undefined;
    this.#link.writer.head(this.id, head, null, false);
  }

  #readable(): Readable {
    const body = new Readable({
      highWaterMark: WINDOW_BYTES / 2,
      read: () => {
        const owed = this.#owed;
        this.#owed = 0;
        if (owed > 0 && !this.#done) this.#link.consumed(this, owed);
      },
    });
    // Its end is told by the call.
    return body.on('error', () => {});
  }

  #finish(): void {
    this.#done = true;
    this.#link.close(this);
    this.#body?.destroy();
    this.#ended();
  }
}

function sendHead(call: ReceivedCall): void {
  call.sendHead();
}

const EMPTY = Buffer.alloc(0);
