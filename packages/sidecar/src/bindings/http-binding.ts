import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import type { Clock } from '@holdfast/core';
import { checkAuthority, checkPair } from '../components/check-certificates.ts';
import type { ComponentSettings } from '../components/component-settings.ts';
import { durationSetting } from '../components/duration-setting.ts';
import { isTrue } from '../components/is-true.ts';
import { type EgressPool, egressPool } from '../egress/egress-pool.ts';
import { type ProxyOf, WITHOUT_PROXY } from '../egress/proxy-of.ts';
import { brokenConnection, connectFailure, verbWord } from '../flow/go-words.ts';
import { isHopByHop } from '../flow/headers/hop-by-hop.ts';
import { writtenPath } from '../flow/written-path.ts';
import { nodeHttp } from '../server/node-http.ts';
import {
  type BindingAnswer,
  BindingError,
  type BindingRequest,
  type OutputBinding,
} from './binding.ts';
import { byteSize } from './byte-size.ts';
import { type ExchangeAnswer, exchange, tooLong } from './http-exchange.ts';
import { pemOf } from './pem.ts';
import { MOST_REDIRECTS, redirected, type SentRequest } from './redirect.ts';

const OPERATIONS = ['create', 'get', 'head', 'post', 'put', 'patch', 'delete', 'options', 'trace'];
const WITH_BODY = new Set(['POST', 'PUT', 'PATCH']);
const NOT_CLIENTS = new Set(['content-length', 'host']);
const JSON_TYPE = 'application/json; charset=utf-8';
const DEFAULT_LIMIT = '100Mi';
const CONNECT_TIMEOUT_MS = 15_000;
const CONNECTIONS = 256;

const unzip = promisify(gunzip);

/** `Get "http://…": …` is what Go calls a failed exchange, and Dapr's users know. */
class ExchangeTimeout extends Error {}

/**
 * `bindings.http`: requests of a web server at a fixed address.
 *
 * @throws Error for metadata that cannot be.
 */
export async function httpBinding(
  settings: ComponentSettings,
  clock: Clock,
  proxyOf: ProxyOf = WITHOUT_PROXY,
): Promise<OutputBinding> {
  const url = addressOf(settings.required('url'));
  const limitBytes = byteSize(settings.text('maxResponseBodySize') ?? DEFAULT_LIMIT);
  if (limitBytes === undefined) throw new Error('invalid value for maxResponseBodySize');
  const timeoutMs = durationSetting(settings, 'responseTimeout');
  const strict = settings.flag('errorIfNot2XX', true);
  const token = [settings.text('securityTokenHeader'), settings.text('securityToken')] as const;
  const tls = await tlsOf(settings);
  const poolFor = (origin: string, connections = CONNECTIONS) =>
    egressPool(
      origin,
      {
        connections,
        pipelining: 1,
        // How long it may take is for `responseTimeout` and the policies to say.
        headersTimeout: 0,
        bodyTimeout: 0,
        allowH2: false,
        connect: { ...tls, timeout: CONNECT_TIMEOUT_MS },
      },
      proxyOf(new URL(origin)),
    );
  const pool = poolFor(url.origin);

  /** One that an answer leads to: seldom asked, and its connections are not kept. */
  const elsewhere = async <T>(origin: string, work: (at: EgressPool) => Promise<T>): Promise<T> => {
    const other = poolFor(origin, 1);
    try {
      return await work(other);
    } finally {
      await other.destroy();
    }
  };
  const send = async (sent: SentRequest, signal: AbortSignal): Promise<ExchangeAnswer> => {
    const { body, headers, method, origin, path } = sent;
    const limit = limitBytes > 0 ? limitBytes : Infinity;
    // Compressed where nobody asked for anything else, as Go's client does it.
    const squeezed =
      method !== 'HEAD' && !['accept-encoding', 'range'].some((name) => headers.has(name));
    const all = squeezed ? [...headers, ['accept-encoding', 'gzip']] : [...headers];
    const request = { method, path: path === '' ? '/' : path, headers: all.flat(), body };
    const ask = (at: EgressPool) => exchange(at, request, limit, signal);
    const answer = await (origin === url.origin ? ask(pool) : elsewhere(origin, ask));
    return squeezed ? await inflated(answer, limit) : answer;
  };

  return {
    operations: OPERATIONS,
    async invoke(request, signal) {
      const method = request.operation === 'create' ? 'POST' : request.operation.toUpperCase();
      const path = pathOf(url, request.metadata.path ?? '');
      const body = WITH_BODY.has(method) ? (request.data ?? Buffer.from('null')) : null;
      const headers = headersOf(request, body !== null, token, url.authorization);
      let sent: SentRequest = { method, origin: url.origin, path, headers, body };
      const limit = new AbortController();
      const timer =
        timeoutMs === undefined
          ? undefined
          : clock.timer(timeoutMs, () =>
              limit.abort(new ExchangeTimeout('context deadline exceeded')),
            );
      const given = signal === undefined ? limit.signal : AbortSignal.any([limit.signal, signal]);
      try {
        for (let redirects = 0; ; redirects += 1) {
          const answer = await send(sent, given);
          const next = redirected(sent, answer, token[0]?.toLowerCase());
          if (next === undefined) return judged(answer, request, strict);
          sent = next;
          if (redirects === MOST_REDIRECTS) {
            throw new Error(`stopped after ${MOST_REDIRECTS} redirects`);
          }
        }
      } catch (error) {
        if (error instanceof BindingError) throw error;
        const why = wordsOf(error, sent.origin);
        const where = `${sent.origin}${sent.path}`;
        throw new Error(`${verbWord(method)} "${where}": ${why}`, { cause: error });
      } finally {
        timer?.cancel();
      }
    },
    close: () => pool.destroy(),
  };
}

/** Kept as it was written: `/a/../b` goes on the wire like that, as from Dapr. */
function addressOf(text: string): {
  readonly origin: string;
  readonly path: string;
  /** Of a name and password in it. */
  readonly authorization: string | undefined;
} {
  const [, scheme = '', signIn = '', host = '', path = ''] =
    /^(https?:\/\/)(?:([^/?#]*)@)?([^/?#]+)([^#]*)/i.exec(text) ?? [];
  if (host === '' || !URL.canParse(text)) {
    // Not shown beyond its host: a password may be in it.
    throw new Error(
      `metadata url is "${text.replace(/\/\/[^/?#]*@/, '//…@')}", and must be http://HOST[:PORT]/… or https://…`,
    );
  }
  const { password, username } = new URL(text);
  const pair = [username, password].map(decodeURIComponent).join(':');
  const authorization = signIn === '' ? undefined : `Basic ${Buffer.from(pair).toString('base64')}`;
  return { origin: `${scheme}${host}`, path, authorization };
}

/** @throws Error for an escape that is none, in Go's words. */
function pathOf(
  { origin, path: base }: { readonly origin: string; readonly path: string },
  more: string,
): string {
  const [joined = ''] =
    more === '' ? [base] : `${base.replace(/\/+$/, '')}/${more.replace(/^\/+/, '')}`.split('#');
  const [path = '', ...query] = joined.split('?');
  const wrong = /%(?![\da-f]{2}).{0,2}/i.exec(path)?.[0];
  if (wrong !== undefined) {
    throw new Error(`parse "${origin}${joined}": invalid URL escape "${wrong}"`);
  }
  const written = writtenPath(Buffer.from(path).toString('latin1'));
  // What no request line can hold goes as escapes; what is one already stays.
  const asked = query.join('?').replaceAll(/[^\x21-\x7e]/gu, encodeURIComponent);
  return query.length === 0 ? written : `${written}?${asked}`;
}

/** Metadata that begins with a capital is a header, in Dapr's way. */
function headersOf(
  { metadata, trace }: BindingRequest,
  hasBody: boolean,
  [tokenHeader, token]: readonly [string | undefined, string | undefined],
  authorization: string | undefined,
): ReadonlyMap<string, string> {
  const headers = new Map<string, string>([['accept', JSON_TYPE]]);
  if (authorization !== undefined) headers.set('authorization', authorization);
  if (hasBody) headers.set('content-type', JSON_TYPE);
  if (tokenHeader !== undefined && token !== undefined)
    headers.set(tokenHeader.toLowerCase(), token);
  for (const [name, value] of Object.entries(metadata)) {
    const lower = name.toLowerCase();
    // The framing is the connection's, and the host the address's, not the client's.
    if (!/^[A-Z]/.test(name) || isHopByHop(lower) || NOT_CLIENTS.has(lower)) continue;
    headers.set(lower, value);
  }
  for (const [name, value] of trace) headers.set(name, value);
  return headers;
}

/** @throws Error for one that is longer than it may be, or no gzip after all. */
async function inflated(answer: ExchangeAnswer, limitBytes: number): Promise<ExchangeAnswer> {
  const { 'Content-Encoding': encoding = '', 'Content-Length': _, ...headers } = answer.headers;
  if (encoding.toLowerCase() !== 'gzip' || answer.body.length === 0) return answer;
  const most = Number.isFinite(limitBytes) ? { maxOutputLength: limitBytes } : {};
  try {
    return { ...answer, headers, body: await unzip(answer.body, most) };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_BUFFER_TOO_LARGE') throw error;
    throw tooLong(limitBytes);
  }
}

function judged(
  { status, reason, headers, body }: ExchangeAnswer,
  { metadata }: BindingRequest,
  strict: boolean,
): BindingAnswer {
  const text = reason || nodeHttp.STATUS_CODES[status] || '';
  const told = { ...headers, statusCode: String(status), status: `${status} ${text}`.trim() };
  const asked = metadata.errorIfNot2XX ?? '';
  const failing = asked === '' ? strict : isTrue(asked);
  if (failing && (status < 200 || status > 299)) {
    throw new BindingError(`received status code ${status}`, told);
  }
  return { data: body, metadata: told };
}

function wordsOf(error: unknown, origin: string): string {
  const { code, message, syscall } = error as NodeJS.ErrnoException;
  if (error instanceof ExchangeTimeout) return message;
  if (syscall === 'connect' || syscall === 'getaddrinfo' || code === 'UND_ERR_CONNECT_TIMEOUT') {
    const { host, port, protocol } = new URL(origin);
    const address = port === '' ? `${host}:${protocol === 'https:' ? 443 : 80}` : host;
    return connectFailure(error as Error, address);
  }
  return brokenConnection(error as Error);
}

async function tlsOf(settings: ComponentSettings): Promise<Record<string, string>> {
  const read = async (name: string) => {
    const given = settings.text(name);
    return given === undefined ? undefined : await pemOf(name, given);
  };
  const ca = await read('MTLSRootCA');
  // As daprd: one without the other is not even looked at.
  const pair = settings.together('MTLSClientCert', 'MTLSClientKey');
  const shown = pair === undefined ? {} : await pairOf(...pair);
  // The words are daprd's.
  checkAuthority(ca, 'failed to add root certificate to certpool: metadata MTLSRootCA');
  checkPair(shown, 'failed to load client certificate');
  const renegotiation = settings.text('MTLSRenegotiation') ?? 'RenegotiateNever';
  if (!/^Renegotiate(?:Never|OnceAsClient|FreelyAsClient)$/.test(renegotiation)) {
    throw new Error(`invalid renegotiation value: ${renegotiation}`);
  }
  return {
    ...(ca === undefined ? {} : { ca }),
    ...shown,
  };
}

const pairOf = async (cert: string, key: string) => ({
  cert: await pemOf('MTLSClientCert', cert),
  key: await pemOf('MTLSClientKey', key),
});
