import type { ExchangeAnswer } from './http-exchange.ts';

/** A request as it goes to one address; header names in lower case. */
export interface SentRequest {
  readonly method: string;
  readonly origin: string;
  readonly path: string;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer | null;
}

/** As Go's client has it. */
export const MOST_REDIRECTS = 10;

/** Who signs in at one host does not at another. */
const SENSITIVE = ['authorization', 'www-authenticate', 'cookie', 'cookie2'];
const OF_BODY = /^content-/;

/**
 * Where an answer sends a request, as Go's client reads it: 301, 302 and 303 are
 * asked with GET, 307 and 308 as before. Undefined where it sends it nowhere.
 * `secret` is the header that is for the first host alone.
 *
 * @throws Error for an address that is none, or no web server's.
 */
export function redirected(
  request: SentRequest,
  { headers, status }: Pick<ExchangeAnswer, 'headers' | 'status'>,
  secret: string | undefined,
): SentRequest | undefined {
  const location = headers.Location;
  if (location === undefined || location === '' || ![301, 302, 303, 307, 308].includes(status)) {
    return undefined;
  }
  const from = `${request.origin}${request.path}`;
  if (!URL.canParse(location, from)) {
    throw new Error(`failed to parse Location header "${location}"`);
  }
  const to = new URL(location, from);
  if (!/^https?:$/.test(to.protocol)) {
    throw new Error(`unsupported protocol scheme "${to.protocol.slice(0, -1)}"`);
  }
  const keeps = status === 307 || status === 308;
  const keepsMethod = keeps || request.method === 'GET' || request.method === 'HEAD';
  const sent = new Map(request.headers);
  if (!keeps) for (const name of sent.keys()) if (OF_BODY.test(name)) sent.delete(name);
  if (to.host !== new URL(request.origin).host) {
    for (const name of [...SENSITIVE, secret ?? '']) sent.delete(name);
  }
  return {
    method: keepsMethod ? request.method : 'GET',
    origin: to.origin,
    path: `${to.pathname}${to.search}`,
    headers: sent,
    body: keeps ? request.body : null,
  };
}
