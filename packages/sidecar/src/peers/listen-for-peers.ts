import type net from 'node:net';
import { Readable } from 'node:stream';
import type { AnswerSink, Flow } from '../flow/answer.ts';
import { ClientGoneError } from '../flow/upstream-error.ts';
import { listen } from '../server/doors/listen.ts';
import type { DaprDoor } from './dapr/open-dapr-door.ts';
import { faultText } from './fault.ts';
import { FAULT, headText, INLINE_BYTES, MAX_HEAD_BYTES, WINDOW_BYTES } from './frame-format.ts';
import { FrameLink, FrameStream } from './frame-link.ts';
import { FrameWriter } from './frame-writer.ts';
import { IN_THE_CLEAR, type PeerSecurity } from './peer-security.ts';
import type { PeerCallee, PeerServer } from './peer-transport.ts';
import type { SpiffeId } from './spiffe-id.ts';

export interface FrameServerOptions {
  readonly host: string;
  readonly port: number;
  /** Connections of other sidecars at a time. @default 1024 */
  readonly maxConnections?: number;
  /** A connection on which no call has begun by then is closed. @default 10_000 ms */
  readonly firstCallMs?: number;
  /** @default in the clear */
  readonly security?: PeerSecurity;
  /** Longest message of a sidecar that is daprd. */
  readonly maxBodyBytes: number;
  /** Told of each connection that was not let in: where from, and why. */
  readonly refused?: (from: string, why: string) => void;
}

const FIRST_CALL_MS = 10_000;
/** How connections of sidecars that are daprd begin. */
const HTTP2 = Buffer.from('PRI * HTTP/2.0');

/** Receives other sidecars' calls; each goes to `callee`. */
export async function listenForPeers(
  callee: PeerCallee,
  options: FrameServerOptions,
): Promise<PeerServer> {
  const sockets = new Set<net.Socket>();
  const links = new Set<FrameLink>();
  let drained: (() => void) | undefined;
  let door: DaprDoor | undefined;
  let opening: Promise<DaprDoor> | undefined;
  const open = (): number =>
    [...links].reduce((sum, link) => sum + link.open, door === undefined ? 0 : door.open);
  const ended = (): void => {
    if (drained !== undefined && open() === 0) drained();
  };

  const security = options.security ?? IN_THE_CLEAR;
  const { firstCallMs = FIRST_CALL_MS, maxBodyBytes } = options;
  const { server, event } = security.server(firstCallMs);
  const refused = (from: string | undefined, why: string): void =>
    options.refused?.(from ?? 'an unknown address', why);
  // Also those that are still in their handshake.
  server.on('connection', (socket: net.Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  server.on('tlsClientError', (error: Error & { code?: string }, socket: net.Socket) => {
    refused(socket.remoteAddress, `no TLS 1.3 came about: ${error.message}`);
    socket.destroy();
  });
  server.on(event, (socket: net.Socket) => {
    const admission = security.admit(socket);
    if (admission.kind === 'refused') {
      refused(socket.remoteAddress, admission.why);
      socket.on('error', () => {});
      new FrameWriter(socket).bye(admission.why);
      // It reads why and hangs up; one that does not is hung up on.
      socket
        .end()
        .resume()
        .setTimeout(firstCallMs, () => socket.destroy());
      return;
    }
    // A sidecar dials when it has a call to send; who dials and is silent only takes up a place.
    socket.setTimeout(firstCallMs, () => socket.destroy());
    // Nothing is said before it is known in which language.
    socket
      .on('error', () => {})
      .once('data', (first: Buffer) => {
        if (first[0] === HTTP2[0]) openDoor(socket, first, admission.callerId);
        else receive(socket, first, admission.callerId);
      });
  });
  const receive = (socket: net.Socket, first: Buffer, callerId: SpiffeId | undefined): void => {
    let used = false;
    const link: FrameLink = new FrameLink(
      socket,
      (from) => {
        if (!used) socket.setTimeout(0);
        used = true;
        return new ReceivedCall(from, callee, callerId, ended);
      },
      () => {
        links.delete(link);
        // The streams of the link are told after this; look again when they are gone.
        setImmediate(ended);
      },
    );
    links.add(link);
    link.take(first);
  };
  // What speaks gRPC takes 10 MB, so only those load it that have such a neighbour.
  const openDoor = (socket: net.Socket, first: Buffer, callerId: SpiffeId | undefined): void => {
    socket.pause();
    opening ??= import('./dapr/open-dapr-door.ts').then(({ openDaprDoor }) => {
      door = openDaprDoor({ callee, ended, firstCallMs, maxBodyBytes });
      return door;
    });
    opening.then(
      (there) => {
        if (socket.destroyed) return;
        socket.setTimeout(0);
        there.take(socket, first, callerId);
      },
      () => socket.destroy(),
    );
  };
  server.maxConnections = options.maxConnections ?? 1024;
  const port = await listen(server, options.host, options.port, '--dapr-internal-grpc-port');
  return {
    port,
    drain: () =>
      new Promise((resolve) => {
        drained = resolve;
        server.close();
        door?.drain();
        ended();
      }),
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** One call at the callee's end: what its application answers goes back as frames. */
class ReceivedCall extends FrameStream implements AnswerSink {
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
