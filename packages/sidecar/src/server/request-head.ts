import type { IncomingMessage } from 'node:http';
import { RPC_METHOD } from '../app/rpc-answer.ts';
import { lowerName, without } from '../flow/headers/answer-headers.ts';
import { isHopByHop, nominatedNames } from '../flow/headers/hop-by-hop.ts';
import { codingFault, type HeadFault, hostFault, versionFault } from './head-fault.ts';

/**
 * A request's head, read once: what the sidecar itself looks at, and what may
 * be passed on. Reading the raw list once is several times cheaper than
 * `request.headers`, and keeps duplicates as they came.
 */
export interface RequestHead {
  readonly method: string;
  /** Without query; raw. */
  readonly path: string;
  /** With its `?`, or empty. */
  readonly query: string;
  /** End-to-end headers that may be passed on, `name, value, …`, names in lower case. */
  readonly headers: string[];
  /** Of the body; 0 without one, -1 when chunked. */
  readonly bodyLength: number;
  readonly appId: string | undefined;
  readonly authorization: string | undefined;
  readonly apiToken: string | undefined;
  readonly traceparent: string | undefined;
  readonly tracestate: string | undefined;
  /** All `baggage` headers, joined; they are also in `headers`. */
  readonly baggage: string | undefined;
  /** The client accepts a stream of events. */
  readonly events: boolean;
  /** What the parser lets pass and nobody else should: two readers might understand two different things. */
  readonly fault: HeadFault | undefined;
}

/**
 * Headers that say who calls whom. They are the sidecar's to set, so a client's
 * own are dropped (daprd adds its own beside them, and leaves both standing).
 */
const OURS = new Set([
  'dapr-callee-app-id',
  'dapr-caller-app-id',
  'dapr-caller-namespace',
  'destination-app-id',
  RPC_METHOD,
]);

export function readRequestHead(req: IncomingMessage): RequestHead {
  const { rawHeaders } = req;
  const url = originForm(req.url ?? '/');
  const mark = url.indexOf('?');
  const headers: string[] = [];
  let bodyLength = 0;
  let nominated: Set<string> | undefined;
  let appId: string | undefined;
  let authorization: string | undefined;
  let apiToken: string | undefined;
  let traceparent: string | undefined;
  let tracestate: string | undefined;
  let baggage: string | undefined;
  let events = false;
  let host: string | undefined;
  let fault = versionFault(req);

  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = lowerName(rawHeaders[at]!);
    const value = rawHeaders[at + 1]!;
    switch (name) {
      case 'content-length':
        if (bodyLength !== -1) bodyLength = Number(value);
        continue;
      case 'transfer-encoding':
        bodyLength = -1;
        // A coding beside it is no affair of the connection: the body would reach the application encoded, and unsaid.
        if (value !== 'chunked') fault ??= codingFault(value);
        continue;
      case 'host':
        fault ??= hostFault(host, value);
        host = value;
        continue;
      case 'connection':
        nominated = nominatedNames(value, nominated);
        continue;
      case 'dapr-app-id':
        appId ??= value;
        continue;
      case 'dapr-api-token':
        apiToken ??= value;
        continue;
      case 'traceparent':
        traceparent ??= value;
        continue;
      case 'tracestate':
        tracestate = tracestate === undefined ? value : `${tracestate},${value}`;
        continue;
      case 'accept':
        events ||= value.includes('text/event-stream');
        break;
      case 'authorization':
        authorization ??= value;
        break;
      case 'baggage':
        baggage = baggage === undefined ? value : `${baggage},${value}`;
        break;
    }
    if (isHopByHop(name) || OURS.has(name) || name.endsWith('-bin')) continue;
    headers.push(name.startsWith('grpc-') ? `dapr-${name}` : name, value);
  }

  return {
    method: req.method ?? 'GET',
    path: mark === -1 ? withoutFragment(url) : withoutFragment(url.slice(0, mark)),
    query: mark === -1 ? '' : cutFragment(url.slice(mark)),
    headers: nominated === undefined ? headers : without(headers, nominated),
    bodyLength,
    appId,
    authorization,
    apiToken,
    traceparent,
    tracestate,
    baggage,
    events,
    fault,
  };
}

/** `http://host/path` as a proxy's client writes it → `/path`. */
function originForm(url: string): string {
  if (url[0] === '/') return url;
  const at = url.indexOf('/', url.indexOf('://') + 3);
  return at === -1 ? '/' : url.slice(at);
}

/** A fragment never belongs on the wire. In a path it is refused later on, as Dapr does: keep it visible. */
function withoutFragment(path: string): string {
  return path.includes('#') ? path.replaceAll('#', '%23') : path;
}

function cutFragment(query: string): string {
  const at = query.indexOf('#');
  const bare = at === -1 ? query : query.slice(0, at);
  return bare === '?' ? '' : bare;
}
