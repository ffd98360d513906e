import type { Clock } from '@holdfast/core';
import type { ComponentSettings } from '../components/component-settings.ts';
import { durationSetting } from '../components/duration-setting.ts';
import { brokenConnection, connectFailure, verbWord } from '../flow/go-words.ts';
import { isHopByHop } from '../flow/hop-by-hop.ts';
import { undiciPool } from '../flow/undici-pool.ts';
import { nodeHttp } from '../server/node-http.ts';
import {
  type BindingAnswer,
  BindingError,
  type BindingRequest,
  type OutputBinding,
} from './binding.ts';
import { byteSize } from './byte-size.ts';
import { type ExchangeAnswer, exchange } from './http-exchange.ts';
import { pemOf } from './pem.ts';

const OPERATIONS = ['create', 'get', 'head', 'post', 'put', 'patch', 'delete', 'options', 'trace'];
const WITH_BODY = new Set(['POST', 'PUT', 'PATCH']);
const JSON_TYPE = 'application/json; charset=utf-8';
const DEFAULT_LIMIT = '100Mi';
const CONNECT_TIMEOUT_MS = 15_000;
const CONNECTIONS = 256;

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
): Promise<OutputBinding> {
  const url = addressOf(settings.required('url'));
  const limitBytes = byteSize(settings.text('maxResponseBodySize') ?? DEFAULT_LIMIT);
  if (limitBytes === undefined) throw new Error('invalid value for maxResponseBodySize');
  const timeoutMs = durationSetting(settings, 'responseTimeout');
  const strict = settings.text('errorIfNot2XX') === undefined || settings.flag('errorIfNot2XX');
  const token = [settings.text('securityTokenHeader'), settings.text('securityToken')] as const;
  const tls = await tlsOf(settings);
  const pool = new (undiciPool())(url.origin, {
    connections: CONNECTIONS,
    pipelining: 1,
    // How long it may take is for `responseTimeout` and the policies to say.
    headersTimeout: 0,
    bodyTimeout: 0,
    allowH2: false,
    connect: { ...tls, timeout: CONNECT_TIMEOUT_MS },
  });

  return {
    operations: OPERATIONS,
    async invoke(request, signal) {
      const method = request.operation === 'create' ? 'POST' : request.operation.toUpperCase();
      const path = pathOf(url.path, request.metadata.path ?? '');
      const body = WITH_BODY.has(method) ? (request.data ?? Buffer.from('null')) : null;
      const headers = headersOf(request, body !== null, token);
      const limit = new AbortController();
      const timer =
        timeoutMs === undefined
          ? undefined
          : clock.timer(timeoutMs, () =>
              limit.abort(new ExchangeTimeout('context deadline exceeded')),
            );
      const given = signal === undefined ? limit.signal : AbortSignal.any([limit.signal, signal]);
      try {
        const answer = await exchange(
          pool,
          { method, path: path === '' ? '/' : path, headers, body },
          limitBytes > 0 ? limitBytes : Infinity,
          given,
        );
        return judged(answer, request, strict);
      } catch (error) {
        if (error instanceof BindingError) throw error;
        const why = wordsOf(error, url.origin);
        throw new Error(`${verbWord(method)} "${url.origin}${path}": ${why}`, { cause: error });
      } finally {
        timer?.cancel();
      }
    },
    close: () => pool.destroy(),
  };
}

/** Kept as it was written: `/a/../b` goes on the wire like that, as from Dapr. */
function addressOf(text: string): { readonly origin: string; readonly path: string } {
  const [, origin = '', rest = ''] = /^(https?:\/\/[^/?#]+)([^#]*)/i.exec(text) ?? [];
  if (origin === '' || !URL.canParse(text)) {
    throw new Error(`metadata url is "${text}", and must be http://HOST[:PORT]/… or https://…`);
  }
  return { origin, path: rest };
}

function pathOf(base: string, more: string): string {
  if (more === '') return base;
  // What no request line can hold goes as escapes; what is one already stays.
  const clean = more.replace(/^\/+/, '').replaceAll(/[^\x21-\x7e]/gu, encodeURIComponent);
  return `${base.replace(/\/+$/, '')}/${clean}`;
}

/** Metadata that begins with a capital is a header, in Dapr's way. */
function headersOf(
  { metadata, trace }: BindingRequest,
  hasBody: boolean,
  [tokenHeader, token]: readonly [string | undefined, string | undefined],
): string[] {
  const headers = new Map<string, string>([['accept', JSON_TYPE]]);
  if (hasBody) headers.set('content-type', JSON_TYPE);
  if (tokenHeader !== undefined && token !== undefined)
    headers.set(tokenHeader.toLowerCase(), token);
  for (const [name, value] of Object.entries(metadata)) {
    const lower = name.toLowerCase();
    // The framing is the connection's, not the client's.
    if (!/^[A-Z]/.test(name) || isHopByHop(lower) || lower === 'content-length') continue;
    headers.set(lower, value);
  }
  for (const [name, value] of trace) headers.set(name, value);
  return [...headers].flat();
}

function judged(
  { status, reason, headers, body }: ExchangeAnswer,
  { metadata }: BindingRequest,
  strict: boolean,
): BindingAnswer {
  const text = reason || nodeHttp.STATUS_CODES[status] || '';
  const told = { ...headers, statusCode: String(status), status: `${status} ${text}`.trim() };
  const asked = metadata.errorIfNot2XX ?? '';
  const failing = asked === '' ? strict : /^(y|yes|true|t|on|1)$/i.test(asked);
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
  const [cert, key] = [await read('MTLSClientCert'), await read('MTLSClientKey')];
  const renegotiation = settings.text('MTLSRenegotiation') ?? 'RenegotiateNever';
  if (!/^Renegotiate(?:Never|OnceAsClient|FreelyAsClient)$/.test(renegotiation)) {
    throw new Error(`invalid renegotiation value: ${renegotiation}`);
  }
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined || key === undefined ? {} : { cert, key }),
  };
}
