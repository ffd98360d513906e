import type { Upstream } from '../flow/answer.ts';

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
  /** The sidecar at `host:port`. */
  to(address: string): Upstream;
  /** Forgets kept connections to an address that no longer answers. */
  drop(address: string): void;
  close(): Promise<void>;
}

/** The receiving end: every call that comes in goes to one `Upstream`, the callee. */
export interface PeerServer {
  readonly port: number;
  /** Accepts no more calls; resolves when those in flight have ended. */
  drain(): Promise<void>;
  /** Ends everything at once. */
  close(): void;
}
