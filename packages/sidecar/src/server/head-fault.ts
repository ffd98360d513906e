import type { IncomingMessage } from 'node:http';

/** A head that is answered at once, as Go's server answers it. */
export interface HeadFault {
  readonly status: number;
  readonly text: string;
}

const UNKNOWN_CODING: HeadFault = { status: 501, text: 'Unsupported transfer encoding' };

const TWO_HOSTS: HeadFault = { status: 400, text: '400 Bad Request: too many Host headers' };
const BAD_HOST: HeadFault = { status: 400, text: '400 Bad Request: malformed Host header' };
const BAD_VERSION: HeadFault = {
  status: 505,
  text: '505 HTTP Version Not Supported: unsupported protocol version',
};

/** A name, an address or nothing, and a port: letters that may stand in an authority (RFC 3986 §3.2.2). */
const HOST = /^[\w!$%&'()*+,\-.:;=[\]~]*$/;

/** The parser takes lines that say HTTP/2.0 or HTTP/0.9 as well. */
export function versionFault(req: IncomingMessage): HeadFault | undefined {
  // A request that did come over HTTP/2 has no version of its own.
  const { httpVersionMajor: major = 1 } = req as Partial<IncomingMessage>;
  return major === 1 ? undefined : BAD_VERSION;
}

/** `before` is the `Host` that came first, if one did. */
export function hostFault(before: string | undefined, host: string): HeadFault | undefined {
  if (before !== undefined) return TWO_HOSTS;
  return HOST.test(host) ? undefined : BAD_HOST;
}

/** Of a body that ends as `chunked` says; without that word the parser itself says no. */
export function codingFault(codings: string): HeadFault | undefined {
  const words = codings.trim().toLowerCase();
  return words === 'chunked' || !words.includes('chunked') ? undefined : UNKNOWN_CODING;
}
