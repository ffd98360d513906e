import type { AnswerSink, Flow, OutgoingCall, Upstream } from '../flow/answer.ts';
import type { ExpectedPeer } from './peer-security.ts';
import type { SpiffeId } from './spiffe-id.ts';

/**
 * The leg between two sidecars. Both ends are ours, so what runs on it is our
 * own business; what a call must survive on it is that head, body and answer
 * arrive as they were, with back-pressure, and that a failure says whether the
 * peer was reached at all:
 *
 * - `UpstreamError` `UNREACHABLE`: no connection; nothing was sent.
 * - `BROKEN`: the connection ended early.
 * - `REFUSED`: the peer's sidecar answered in place of its application.
 */
export interface PeerTransport {
  /** The sidecar at `host:port`; with mTLS nobody but that of `expected` is sent anything. */
  to(address: string, expected?: ExpectedPeer): Upstream;
  /** Forgets kept connections to an address that no longer answers. */
  drop(address: string): void;
  close(): Promise<void>;
}

/** The receiving end: every call that comes in goes to one `PeerCallee`. */
export interface PeerServer {
  readonly port: number;
  /** Accepts no more calls; resolves when those in flight have ended. */
  drain(): Promise<void>;
  /** Ends everything at once. */
  close(): void;
}

/** A call that another sidecar has sent. */
export interface PeerCall extends OutgoingCall {
  /** Whose call it is, as its certificate says; undefined without mTLS, where nobody knows. */
  readonly callerId: SpiffeId | undefined;
}

/** Where calls of other sidecars go. Never throws, as `Upstream`. */
export interface PeerCallee {
  send(call: PeerCall, sink: AnswerSink): Flow;
}
