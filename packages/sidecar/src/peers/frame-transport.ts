import type { Clock } from '@holdfast/core';
import type { AnswerSink, Flow, OutgoingCall, Upstream } from '../flow/answer.ts';
import { Recent } from '../policies/recent.ts';
import type { DaprPeer } from './dapr/dapr-peer.ts';
import { Dialed } from './dialed.ts';
import { type ExpectedPeer, IN_THE_CLEAR, type PeerSecurity } from './peer-security.ts';
import type { PeerTransport } from './peer-transport.ts';
import { SentCall } from './sent-call.ts';

/** Peers with kept connections at a time. */
const MAX_PEERS = 256;
/** A second link is opened only when the first carries this many calls. */
const CALLS_PER_LINK = 1024;
const MAX_LINKS = 8;
/** What fits on one: beyond it a call is refused. */
const MAX_CALLS = 4096;
/** A connection must have come about, and the other side have said what it speaks, by then. */
const CONNECT_MS = 5_000;

export interface FramePeerOptions {
  readonly clock: Clock;
  /** Longest message to and from a sidecar that is daprd. */
  readonly maxBodyBytes: number;
  /** @default in the clear */
  readonly security?: PeerSecurity;
}

/** The way to other sidecars: by frames to those of ours, as daprd does to those that are daprd. */
export function framePeerTransport(options: FramePeerOptions): PeerTransport {
  const { security = IN_THE_CLEAR } = options;
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
      const peer = new FramePeer(address, expected, { ...options, security });
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
  readonly #options: Required<FramePeerOptions>;
  #links: Dialed[] = [];
  /** Where it has turned out to be daprd; it is looked at again after its connections have ended. */
  #dapr: Promise<DaprPeer> | DaprPeer | undefined;

  constructor(
    address: string,
    expected: ExpectedPeer | undefined,
    options: Required<FramePeerOptions>,
  ) {
    this.address = address;
    this.#expected = expected;
    this.#options = options;
  }

  send(call: OutgoingCall, sink: AnswerSink): Flow {
    const dapr = this.#dapr;
    if (dapr !== undefined && !(dapr instanceof Promise)) return dapr.send(call, sink);
    const sent = new SentCall(this.address, call, sink);
    if (dapr !== undefined) {
      sent.wait();
      divert([sent], dapr);
      return sent;
    }
    const dialed = this.#link();
    if (dialed.open < MAX_CALLS) dialed.send(sent);
    else sent.refuse('too many calls are in flight');
    return sent;
  }

  close(): void {
    for (const { link } of this.#links) link.destroy();
    this.#leave((peer) => peer.close());
  }

  /** The links there are carry no new calls, and end with their last. */
  retire(): void {
    for (const dialed of this.#links) dialed.retire();
    this.#links = [];
    this.#leave((peer) => peer.retire());
  }

  #leave(how: (peer: DaprPeer) => void): void {
    const dapr = this.#dapr;
    this.#dapr = undefined;
    if (dapr instanceof Promise) dapr.then(how, () => {});
    else if (dapr !== undefined) how(dapr);
  }

  #link(): Dialed {
    let least: Dialed | undefined;
    for (const dialed of this.#links) {
      if (least === undefined || dialed.open < least.open) least = dialed;
    }
    if (least !== undefined) {
      if (least.open < CALLS_PER_LINK || this.#links.length >= MAX_LINKS) return least;
    }
    return this.#dial();
  }

  #dial(): Dialed {
    const dialling = this.#connect();
    const { socket } = dialling;
    socket.setTimeout(CONNECT_MS, () => {
      socket.destroy(Object.assign(new Error('timed out'), { code: 'ETIMEDOUT' }));
    });
    const dialed: Dialed = new Dialed(dialling, this.#options.clock, {
      gone: () => {
        this.#links = this.#links.filter((one) => one !== dialed);
      },
      otherKind: (waiting) => {
        this.#dapr ??= this.#openDapr();
        divert(waiting, this.#dapr);
      },
    });
    this.#links = [...this.#links, dialed];
    return dialed;
  }

  #connect(): ReturnType<PeerSecurity['dial']> {
    const colon = this.address.lastIndexOf(':');
    const host = this.address.slice(0, colon).replace(/^\[|\]$/g, '');
    const port = Number(this.address.slice(colon + 1));
    return this.#options.security.dial({ host, port }, this.#expected);
  }

  /** What speaks gRPC takes 10 MB, so only those load it that have such a neighbour. */
  async #openDapr(): Promise<DaprPeer> {
    const { DaprPeer } = await import('./dapr/dapr-peer.ts').catch((error: unknown) => {
      this.#dapr = undefined;
      throw error;
    });
    const { clock, maxBodyBytes } = this.#options;
    const peer: DaprPeer = new DaprPeer({
      address: this.address,
      clock,
      maxBodyBytes,
      dial: () => this.#connect().socket,
      gone: () => {
        if (this.#dapr === peer) this.#dapr = undefined;
      },
    });
    this.#dapr = peer;
    return peer;
  }
}

function divert(calls: readonly SentCall[], to: Promise<DaprPeer> | DaprPeer): void {
  Promise.resolve(to).then(
    (peer) => {
      for (const call of calls) call.divert(peer);
    },
    (error: Error) => {
      for (const call of calls) call.fail(error);
    },
  );
}
