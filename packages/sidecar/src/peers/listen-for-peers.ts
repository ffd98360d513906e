import type net from 'node:net';
import type { Clock } from '@holdfast/core';
import { listenAll } from '../server/doors/listen-all.ts';
import type { DaprDoor } from './dapr/open-dapr-door.ts';
import { FrameLink } from './frame-link.ts';
import { FrameWriter } from './frame-writer.ts';
import { IN_THE_CLEAR, type PeerSecurity } from './peer-security.ts';
import type { PeerCallee, PeerServer } from './peer-transport.ts';
import { ReceivedCall } from './received-call.ts';
import type { SpiffeId } from './spiffe-id.ts';

export interface ListenForPeersOptions {
  readonly host: string;
  readonly port: number;
  readonly clock: Clock;
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
  options: ListenForPeersOptions,
): Promise<PeerServer> {
  const { security = IN_THE_CLEAR, firstCallMs = FIRST_CALL_MS, maxConnections = 1024 } = options;
  const { server, event } = security.server(firstCallMs);
  const peers = new Peers(server, callee, { ...options, security, firstCallMs });
  // Also those that are still in their handshake.
  server.on('connection', (socket: net.Socket) => peers.keep(socket));
  server.on('tlsClientError', (error: Error & { code?: string }, socket: net.Socket) => {
    peers.refused(socket, `no TLS 1.3 came about: ${error.message}`);
    socket.destroy();
  });
  server.on(event, (socket: net.Socket) => peers.meet(socket));
  server.maxConnections = maxConnections;
  const at = { hosts: [options.host], port: options.port };
  const { port } = await listenAll(() => server, at, '--dapr-internal-grpc-port');
  return { port, drain: () => peers.drain(), close: () => peers.close() };
}

type PeersOptions = ListenForPeersOptions & {
  readonly security: PeerSecurity;
  readonly firstCallMs: number;
};

/** The connections of other sidecars, from the first byte to the end. */
class Peers {
  readonly #server: net.Server;
  readonly #callee: PeerCallee;
  readonly #options: PeersOptions;
  readonly #sockets = new Set<net.Socket>();
  readonly #links = new Set<FrameLink>();
  #door: DaprDoor | undefined;
  #opening: Promise<DaprDoor> | undefined;
  #drained: (() => void) | undefined;

  constructor(server: net.Server, callee: PeerCallee, options: PeersOptions) {
    this.#server = server;
    this.#callee = callee;
    this.#options = options;
  }

  keep(socket: net.Socket): void {
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
  }

  refused({ remoteAddress = 'an unknown address' }: net.Socket, why: string): void {
    this.#options.refused?.(remoteAddress, why);
  }

  meet(socket: net.Socket): void {
    const { security, firstCallMs } = this.#options;
    const admission = security.admit(socket);
    if (admission.kind === 'refused') {
      this.#turnAway(socket, admission.why);
      return;
    }
    // A sidecar dials when it has a call to send; who dials and is silent only takes up a place.
    socket.setTimeout(firstCallMs, () => socket.destroy());
    // Nothing is said before it is known in which language.
    socket
      .on('error', () => {})
      .once('data', (first: Buffer) => {
        if (first[0] === HTTP2[0]) this.#receiveDapr(socket, first, admission.callerId);
        else this.#receive(socket, first, admission.callerId);
      });
  }

  drain(): Promise<void> {
    return new Promise((resolve) => {
      this.#drained = resolve;
      this.#server.close();
      this.#door?.drain();
      this.#ended();
    });
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  /** It reads why and hangs up; one that does not is hung up on. */
  #turnAway(socket: net.Socket, why: string): void {
    this.refused(socket, why);
    socket.on('error', () => {});
    new FrameWriter(socket).bye(why);
    socket
      .end()
      .resume()
      .setTimeout(this.#options.firstCallMs, () => socket.destroy());
  }

  #receive(socket: net.Socket, first: Buffer, callerId: SpiffeId | undefined): void {
    const ended = () => this.#ended();
    let used = false;
    const link: FrameLink = new FrameLink(socket, this.#options.clock, {
      opened: (from) => {
        if (!used) socket.setTimeout(0);
        used = true;
        return new ReceivedCall(from, this.#callee, callerId, ended);
      },
      closed: () => {
        this.#links.delete(link);
        // The streams of the link are told after this; look again when they are gone.
        setImmediate(ended);
      },
    });
    this.#links.add(link);
    link.take(first);
  }

  /** What speaks gRPC takes 10 MB, so only those load it that have such a neighbour. */
  #receiveDapr(socket: net.Socket, first: Buffer, callerId: SpiffeId | undefined): void {
    socket.pause();
    this.#opening ??= this.#openDoor();
    this.#opening.then(
      (door) => {
        if (socket.destroyed) return;
        socket.setTimeout(0);
        door.take(socket, first, callerId);
      },
      () => socket.destroy(),
    );
  }

  async #openDoor(): Promise<DaprDoor> {
    const { firstCallMs, maxBodyBytes } = this.#options;
    const { openDaprDoor } = await import('./dapr/open-dapr-door.ts');
    const ended = () => this.#ended();
    this.#door = openDaprDoor({ callee: this.#callee, ended, firstCallMs, maxBodyBytes });
    return this.#door;
  }

  /** After drain, the last call's end is the end. */
  #ended(): void {
    if (this.#drained !== undefined && this.#open() === 0) this.#drained();
  }

  /** Calls under way. */
  #open(): number {
    return [...this.#links].reduce((sum, link) => sum + link.open, this.#door?.open ?? 0);
  }
}
