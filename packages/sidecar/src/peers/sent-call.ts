import { Readable } from 'node:stream';
import type { AnswerSink, Flow, OutgoingCall, Upstream } from '../flow/answer.ts';
import { brokenConnection, connectFailure } from '../flow/go-words.ts';
import { REPEATABLE } from '../flow/http-upstream.ts';
import { SilentPeerError } from '../flow/silence-watch.ts';
import { UpstreamError } from '../flow/upstream-error.ts';
import type { Dialed } from './dialed.ts';
import { faultOf } from './fault.ts';
import { CHUNK_BYTES, FAULT, headText, INLINE_BYTES, MAX_HEAD_BYTES } from './frame-format.ts';
import { type FrameLink, FrameStream, NotLetInError } from './frame-link.ts';

function unavailable(why: string): string {
  return `rpc error: code = Unavailable desc = ${why}`;
}

/** One call at the caller's end. */
export class SentCall extends FrameStream implements Flow {
  readonly #address: string;
  #dialed: Dialed | undefined;
  readonly #call: OutgoingCall;
  readonly #sink: AnswerSink;
  #body: Readable | undefined;
  #started = false;
  #done = false;
  #paused = false;
  #owed = 0;
  /** Where it went on another way. */
  #diverted: Flow | undefined;
  #stopWaiting: (() => void) | undefined;

  /** `address` as errors name it. */
  constructor(address: string, call: OutgoingCall, sink: AnswerSink) {
    super();
    this.#address = address;
    this.#call = call;
    this.#sink = sink;
  }

  /** Nothing is sent before it is known who is there; what becomes of the body meanwhile is heard. */
  wait(): void {
    const { body } = this.#call;
    if (!(body instanceof Readable)) return;
    const failed = (error: Error): void => this.fail(error);
    body.once('error', failed);
    this.#stopWaiting = () => body.off('error', failed);
  }

  /** It goes over `dialed`. */
  begin(dialed: Dialed): void {
    this.#stopWaiting?.();
    if (this.#done) return;
    this.#dialed = dialed;
    const { method, path, headers, body } = this.#call;
    const text = headText(`${method}\n${path}`, headers);
    if (text.length > MAX_HEAD_BYTES) {
      this.refuse('the head of the request is too large');
      return;
    }
    const { link } = dialed;
    link.begin(this);
    if (body === null || (Buffer.isBuffer(body) && body.length <= INLINE_BYTES)) {
      link.writer.head(this.id, text, body, true);
      return;
    }
    link.writer.head(this.id, text, null, false);
    this.#pump(link, Buffer.isBuffer(body) ? Readable.from(slices(body)) : body);
  }

  /** It goes to `upstream`, which speaks what is spoken there. */
  divert(upstream: Upstream): void {
    this.#stopWaiting?.();
    if (this.#done) return;
    this.#done = true;
    this.#diverted = upstream.send(this.#call, this.#sink);
    if (this.#paused) this.#diverted.pause();
  }

  /** It was not sent at all. */
  refuse(why: string): void {
    this.#done = true;
    queueMicrotask(() => this.#sink.fail(new UpstreamError('REFUSED', why)));
  }

  pause(): void {
    this.#paused = true;
    this.#diverted?.pause();
  }

  resume(): void {
    this.#paused = false;
    this.#diverted?.resume();
    if (this.#owed === 0) return;
    const owed = this.#owed;
    this.#owed = 0;
    if (!this.#done) this.#dialed?.link.consumed(this, owed);
  }

  abort(reason: Error): void {
    this.#diverted?.abort(reason);
    if (this.#done) return;
    this.#dialed?.link.writer.reset(this.id);
    this.#finish();
  }

  onHead(text: string, body: Buffer | null, last: boolean): void {
    if (this.#done || this.#started) return;
    // Not taken apart with `...`: that goes by way of an iterator, at each answer.
    const headers = text.split('\n');
    const status = headers.shift() ?? '';
    if (Number(status) === FAULT) {
      this.fail(faultOf(body?.toString('utf8') ?? ''));
      return;
    }
    // Below 100 it is gRPC's code of a call that failed; of the interim ones only 101 ends a call.
    if (!/^(?:101|[2-9]\d\d|[1-9]\d?)$/.test(status)) {
      this.#dialed?.link.writer.reset(this.id);
      this.fail(
        new UpstreamError(
          'BROKEN',
          `rpc error: code = Internal desc = no status: ${JSON.stringify(status)}`,
        ),
      );
      return;
    }
    this.#started = true;
    if (last) {
      this.#finish();
      this.#sink.head(Number(status), headers, this);
      this.#sink.end(body);
      return;
    }
    this.#sink.head(Number(status), headers, this);
    if (body !== null) this.#pass(body);
  }

  onData(bytes: Buffer, last: boolean): void {
    if (this.#done) return;
    if (last) {
      this.#finish();
      this.#sink.end(bytes.length === 0 ? null : bytes);
    } else this.#pass(bytes);
  }

  onCredit(): void {
    this.#body?.resume();
  }

  onReset(): void {
    if (this.#done) return;
    const { failure } = this.#dialed!;
    if (failure instanceof NotLetInError) {
      this.fail(new UpstreamError('UNREACHABLE', unavailable(failure.message)));
      return;
    }
    const text = unavailable(whyGone(failure));
    const repeatable =
      !this.#started && REPEATABLE.has(this.#call.method) && this.#body === undefined;
    this.fail(new UpstreamError(repeatable ? 'UNREACHABLE' : 'BROKEN', text));
  }

  /** The connection that it waited for has come to nothing. */
  unsent({ connected, failure }: Dialed): void {
    this.#stopWaiting?.();
    const error = failure ?? new Error('EOF');
    const why = connected
      ? `error reading server preface: ${error instanceof NotLetInError ? error.message : brokenConnection(error)}`
      : `transport: Error while dialing: ${connectFailure(error, this.#address)}`;
    const text = unavailable(`connection error: desc = ${JSON.stringify(why)}`);
    this.fail(new UpstreamError('UNREACHABLE', text));
  }

  #pass(bytes: Buffer): void {
    this.#sink.data(bytes);
    if (this.#paused) this.#owed += bytes.length;
    else this.#dialed?.link.consumed(this, bytes.length);
  }

  #pump(link: FrameLink, body: Readable): void {
    this.#body = body;
    body.on('data', (bytes: Buffer) => {
      if (!this.#done && !link.send(this, bytes, false)) body.pause();
    });
    body.on('end', () => {
      if (!this.#done) link.send(this, EMPTY, true);
    });
    body.on('error', (error: Error) => {
      if (this.#done) return;
      link.writer.reset(this.id);
      this.fail(error);
    });
  }

  fail(error: Error): void {
    if (this.#done) return;
    this.#finish();
    this.#sink.fail(error);
  }

  #finish(): void {
    this.#done = true;
    this.#dialed?.close(this);
    this.#body?.destroy();
  }
}

function whyGone(failure: Error | undefined): string {
  // Of what was asked and not answered gRPC's clients say this and nothing around it.
  if (failure instanceof SilentPeerError) return failure.message;
  return `error reading from server: ${failure === undefined ? 'EOF' : brokenConnection(failure)}`;
}

const EMPTY = Buffer.alloc(0);

function* slices(body: Buffer): Iterable<Buffer> {
  for (let at = 0; at < body.length; at += CHUNK_BYTES) yield body.subarray(at, at + CHUNK_BYTES);
}
