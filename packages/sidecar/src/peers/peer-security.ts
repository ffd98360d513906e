import { constants } from 'node:crypto';
import net from 'node:net';
import tls, { type PeerCertificate, type TLSSocket } from 'node:tls';
import { OUR_PROTOCOL, THEIR_PROTOCOL } from './dialed.ts';
import type { LiveCredentials } from './live-credentials.ts';
import { formatSpiffeId, parseSpiffeId, type SpiffeId, uriOf } from './spiffe-id.ts';

/** The app that a caller means to reach. */
export interface ExpectedPeer {
  readonly appId: string;
  readonly namespace: string;
}

/** A connection that another sidecar has opened: whose it is, or why it is not let in. */
export type Admission =
  | { readonly kind: 'admitted'; readonly callerId: SpiffeId | undefined }
  | { readonly kind: 'refused'; readonly why: string };

interface PeerAddress {
  readonly host: string;
  readonly port: number;
}

/** A connection that is coming about; `established` is when it has. */
export interface Dialling {
  readonly socket: net.Socket;
  readonly established: 'connect' | 'secureConnect';
}

/** How connections between sidecars come about: in the clear on this machine, or by mTLS. */
export interface PeerSecurity {
  /** Tells peers at one address apart that must be different apps. */
  key(address: string, expected: ExpectedPeer | undefined): string;
  /** Dials; `established` is the event after which the other side is known. Nothing is sent before. */
  dial(to: PeerAddress, expected: ExpectedPeer | undefined): Dialling;
  /** A server whose `event` brings connections. */
  server(handshakeMs: number): {
    readonly server: net.Server;
    readonly event: 'connection' | 'secureConnection';
  };
  admit(socket: net.Socket): Admission;
  /** After it, connections made before should not be used for new calls. */
  onChange(listener: () => void): void;
}

/** For loopback: whoever is on this machine may call. */
export const IN_THE_CLEAR: PeerSecurity = {
  key: (address) => address,
  dial: ({ host, port }) => ({
    socket: net.connect({ host, port, noDelay: true }),
    established: 'connect',
  }),
  server: () => ({ server: net.createServer({ noDelay: true }), event: 'connection' }),
  admit: () => ({ kind: 'admitted', callerId: undefined }),
  onChange() {},
};

/** TLS 1.3; both sides show certificates that lead to an anchor and name an app of the trust domain. */
export function mutualTls(credentials: LiveCredentials): PeerSecurity {
  return {
    key: (address, expected) =>
      expected === undefined ? address : `${address} ${expected.namespace}/${expected.appId}`,

    dial: (address, expected) => dialTls(credentials.current, address, expected),

    server(handshakeMs) {
      const { texts } = credentials.current;
      const server = tls.createServer({
        ...contextOf(texts),
        ALPNProtocols: PROTOCOLS,
        requestCert: true,
        // Let in by `admit`, which tells who is refused what was expected; TLS would only hang up.
        rejectUnauthorized: false,
        handshakeTimeout: handshakeMs,
        noDelay: true,
      });
      credentials.onChange(() => server.setSecureContext(contextOf(credentials.current.texts)));
      return { server, event: 'secureConnection' };
    },

    admit: (socket) => admissionOf(socket as TLSSocket, credentials.current.id),

    onChange: (listener) => credentials.onChange(listener),
  };
}

function dialTls(
  { context, id }: LiveCredentials['current'],
  { host, port }: PeerAddress,
  expected: ExpectedPeer | undefined,
): Dialling {
  const want =
    expected === undefined
      ? `an app of spiffe://${id.trustDomain}`
      : formatSpiffeId({ ...expected, trustDomain: id.trustDomain });
  const at = `the sidecar at ${host}:${port} must be ${want}`;
  const socket = tls.connect({
    host,
    port,
    secureContext: context,
    minVersion: 'TLSv1.3',
    ALPNProtocols: PROTOCOLS,
    // Names of hosts mean nothing here; the chain is checked by TLS, the id below.
    checkServerIdentity: (_host: string, certificate: PeerCertificate) => {
      const uri = uriOf(certificate.subjectaltname);
      const good = expected === undefined ? inDomain(uri, id.trustDomain) : uri === want;
      return good ? undefined : peerError(`${at}; its certificate is of ${uri ?? 'nobody'}`);
    },
  });
  socket.setNoDelay(true);
  // What is written before the other side is known would leave with the end of the handshake.
  socket.cork();
  let secure = false;
  socket.once('secureConnect', () => {
    secure = true;
    socket.uncork();
  });
  socket.prependListener('error', (error: Error & { code?: string }) => {
    if (!secure) error.message = handshakeFailure(at, error);
  });
  return { socket, established: 'secureConnect' };
}

function admissionOf(socket: TLSSocket, own: SpiffeId): Admission {
  const { trustDomain } = own;
  const want = `a certificate of spiffe://${trustDomain}/ns/NAMESPACE/APP is expected`;
  const certificate = socket.getPeerCertificate();
  const uri = uriOf(certificate?.subjectaltname);
  if (!socket.authorized) {
    const shown =
      certificate?.subject === undefined ? 'none was shown' : `${socket.authorizationError}`;
    return {
      kind: 'refused',
      why: `${want}, signed by an anchor of ${formatSpiffeId(own)}: ${shown}`,
    };
  }
  const callerId = uri === undefined ? undefined : parseSpiffeId(uri);
  if (callerId === undefined || callerId.trustDomain !== trustDomain) {
    return { kind: 'refused', why: `${want}, not of ${uri ?? 'nobody'}` };
  }
  return { kind: 'admitted', callerId };
}

/** Ours first; with daprd HTTP/2 is agreed upon, which its gRPC insists on. */
const PROTOCOLS = [OUR_PROTOCOL, THEIR_PROTOCOL];

function contextOf(texts: LiveCredentials['current']['texts']) {
  return {
    ca: texts.trustAnchors,
    cert: texts.certChain,
    key: texts.certKey,
    minVersion: 'TLSv1.3',
    // A resumed session would skip the certificates.
    secureOptions: constants.SSL_OP_NO_TICKET,
  } as const;
}

function inDomain(uri: string | undefined, trustDomain: string): boolean {
  return uri !== undefined && parseSpiffeId(uri)?.trustDomain === trustDomain;
}

/** The other side is somebody else: nothing was sent to it. */
function peerError(message: string): Error {
  return Object.assign(new Error(message), { code: 'ERR_PEER_IDENTITY' });
}

function handshakeFailure(at: string, { code = '', message }: Error & { code?: string }): string {
  if (code === 'ERR_PEER_IDENTITY' || NO_CONNECTION.test(code)) return message;
  if (NO_TLS.test(code)) {
    return `${at}; it speaks no TLS 1.3 (${code}): is it started with --enable-mtls?`;
  }
  return `${at}; its certificate is not trusted: ${message} (${code})`;
}

const NO_TLS = /^(ECONNRESET|EPIPE|EPROTO|ERR_SSL_.*)$/;
const NO_CONNECTION =
  /^(ECONNREFUSED|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN|EADDRNOTAVAIL)$/;
