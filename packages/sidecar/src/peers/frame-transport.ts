import type net from 'node:net';
import { Readable } from 'node:stream';
import type { AnswerSink, Flow, OutgoingCall, Upstream } from '../flow/answer.ts';
import { brokenConnection, connectFailure } from '../flow/go-words.ts';
import { REPEATABLE } from '../flow/http-upstream.ts';
import { UpstreamError } from '../flow/upstream-error.ts';
import { Recent } from '../policies/recent.ts';
import { faultOf } from './fault.ts';
import { CHUNK_BYTES, FAULT, headText, INLINE_BYTES, MAX_HEAD_BYTES } from './frame-format.ts';
import { FrameLink, FrameStream, NotLetInError } from './frame-link.ts';
import { type ExpectedPeer, IN_THE_CLEAR, type PeerSecurity } from './peer-security.ts';
import type { PeerTransport } from './peer-transport.ts';

/** Peers with kept connections at a time. */
const MAX_PEERS = 256;
/** A second link is opened only when the first carries this many calls. */
const CALLS_PER_LINK = 1024;
const MAX_LINKS = 8;
const CONNECT_MS = 5_000;

export function framePeerTransport(security: PeerSecurity = IN_THE_CLEAR): PeerTransport {
  const peers = new Recent<FramePeer>(MAX_PEERS, (peer) => peer.close());
  // Calls under way end where they are; new ones show the new certificate.
  security.onChange(() => {
    for (const [, peer] of peers.entries()) peer.retire();
  });
  return {
    to(address, expected) {
      const key = security.key(address, expected);
      const known = peers.get(key);
      if (known !== undefined) return known;
      const peer = new FramePeer(address, expected, security);
      peers.set(key, peer);
      return peer;
    },
    drop() {
      // A connection that failed has taken itself off its peer.
    },
    async close() {
      peers.clear();
    },
  };
}

/** Another sidecar: its links, and calls over them. */
class FramePeer implements Upstream {
  readonly address: string;
  readonly #expected: ExpectedPeer | undefined;
  readonly #security: PeerSecurity;
  #links: Dialed[] = [];

  constructor(address: string, expected: ExpectedPeer | undefined, security: PeerSecurity) {
    this.address = address;
    this.#expected = expected;
    this.#security = security;
  }

  send(call: OutgoingCall, sink: AnswerSink): Flow {
    const dialed = this.#link();
    const sent = new SentCall(this, dialed, call, sink);
    if (dialed.link.hasRoom) sent.begin();
    else sent.refuse('too many calls are in flight');
    return sent;
  }

  close(): void {
    for (const { link } of this.#links) link.destroy();
  }

  /** The links there are carry no new calls, and end with their last. */
  retire(): void {
    for (const dialed of this.#links) dialed.retire();
    this.#links = [];
  }

  #link(): Dialed {
    let least: Dialed | undefined;
    for (const dialed of this.#links) {
      if (least === undefined || dialed.link.open < least.link.open) least = dialed;
    }
    if (least !== undefined) {
      if (least.link.open < CALLS_PER_LINK || this.#links.length >= MAX_LINKS) return least;
    }
    return this.#dial();
  }

  #dial(): Dialed {
    const colon = this.address.lastIndexOf(':');
    const host = this.address.slice(0, colon).replace(/^\[|\]$/g, '');
    const port = Number(this.address.slice(colon + 1));
    const { socket, established } = this.#security.dial({ host, port }, this.#expected);
    socket.setTimeout(CONNECT_MS, () => {
      socket.destroy(Object.assign(new Error('timed out'), { code: 'ETIMEDOUT' }));
    });
    const dialed = new Dialed(socket, established, () => {
      this.#links = this.#links.filter((one) => one !== dialed);
    });
    this.#links = [...this.#links, dialed];
    return dialed;
  }
}

/** A link with what became of its connection. */
class Dialed {
  readonly link: FrameLink;
  connected = false;
  failure: (Error & { code?: string }) | undefined;

  #retired = false;

  constructor(socket: net.Socket, established: string, gone: () => void) {
    socket.once(established, () => {
      this.connected = true;
      socket.setTimeout(0);
    });
    // The other end begins no calls on a link that we dialled.
    this.link = new FrameLink(
      socket,
      () => undefined,
      (error) => {
        this.failure = error;
        gone();
      },
    );
  }

  close(stream: FrameStream): void {
    this.link.close(stream);
    if (this.#retired && this.link.open === 0) this.link.destroy();
  }

  retire(): void {
    this.#retired = true;
    if (this.link.open === 0) this.link.destroy();
  }
}

function unavailable(why: string): string {
  return `rpc error: code = Unavailable desc = ${why}`;
}

/** One call at the caller's end. */
class SentCall extends FrameStream implements Flow {
  readonly #peer: FramePeer;
  readonly #dialed: Dialed;
  readonly #call: OutgoingCall;
  readonly #sink: AnswerSink;
  #body: Readable | undefined;
  #started = false;
  #done = false;
  #paused = false;
  #owed = 0;

  constructor(peer: FramePeer, dialed: Dialed, call: OutgoingCall, sink: AnswerSink) {
    super();
    this.#peer = peer;
    this.#dialed = dialed;
    this.#call = call;
    this.#sink = sink;
  }

  begin(): void {
    const { method, path, headers, body } = this.#call;
    const text = headText(`${method}\n${path}`, headers);
    if (text.length > MAX_HEAD_BYTES) {
      this.refuse('the head of the request is too large');
      return;
    }
    const { link } = this.#dialed;
    link.begin(this);
    if (body === null || (Buffer.isBuffer(body) && body.length <= INLINE_BYTES)) {
      link.writer.head(this.id, text, body, true);
      return;
    }
    link.writer.head(this.id, text, null, false);
    this.#pump(Buffer.isBuffer(body) ? Readable.from(slices(body)) : body);
  }

  /** It was not sent at all. */
  refuse(why: string): void {
    this.#done = true;
    queueMicrotask(() => this.#sink.fail(new UpstreamError('REFUSED', why)));
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    if (this.#owed === 0) return;
    const owed = this.#owed;
    this.#owed = 0;
    if (!this.#done) this.#dialed.link.consumed(this, owed);
  }

  abort(): void {
    if (this.#done) return;
    this.#dialed.link.writer.reset(this.id);
    this.#finish();
  }

  onHead(text: string, body: Buffer | null, last: boolean): void {
    if (this.#done || this.#started) return;
    // Not taken apart with `...`: that goes by way of an iterator, at each answer.
    const headers = text.split('\n');
    const status = headers.shift() ?? '';
    if (Number(status) === FAULT) {
      this.#fail(faultOf(body?.toString('utf8') ?? ''));
      return;
    }
    // Below 100 it is gRPC's code of a call that failed; of the interim ones only 101 ends a call.
    if (!/^(?:101|[2-9]\d\d|[1-9]\d?)$/.test(status)) {
      this.#dialed.link.writer.reset(this.id);
      this.#fail(
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
    const { connected, failure } = this.#dialed;
    if (failure instanceof NotLetInError) {
      this.#fail(new UpstreamError('UNREACHABLE', unavailable(failure.message)));
      return;
    }
    if (!connected) {
      const why = connectFailure(failure ?? new Error('closed'), this.#peer.address);
      const text = `rpc error: code = Unavailable desc = connection error: desc = "transport: Error while dialing: ${why}"`;
      this.#fail(new UpstreamError('UNREACHABLE', text));
      return;
    }
    const why = failure === undefined ? 'EOF' : brokenConnection(failure);
    const text = unavailable(`error reading from server: ${why}`);
    const repeatable =
      !this.#started && REPEATABLE.has(this.#call.method) && this.#body === undefined;
    this.#fail(new UpstreamError(repeatable ? 'UNREACHABLE' : 'BROKEN', text));
  }

  #pass(bytes: Buffer): void {
    this.#sink.data(bytes);
    if (this.#paused) this.#owed += bytes.length;
    else this.#dialed.link.consumed(this, bytes.length);
  }

  #pump(body: Readable): void {
    const { link } = this.#dialed;
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
      this.#fail(error);
    });
  }

  #fail(error: Error): void {
    this.#finish();
    this.#sink.fail(error);
  }

  #finish(): void {
    this.#done = true;
    this.#dialed.close(this);
    this.#body?.destroy();
  }
}

const EMPTY = Buffer.alloc(0);

function* slices(body: Buffer): Iterable<Buffer> {
  for (let at = 0; at < body.length; at += CHUNK_BYTES) yield body.subarray(at, at + CHUNK_BYTES);
}
