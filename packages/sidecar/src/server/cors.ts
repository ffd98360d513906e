import { headerValue } from '../flow/headers/header-value.ts';
import type { RequestHead } from './request-head.ts';

/** What CORS makes of one request. */
export interface CorsAnswer {
  /** Headers for whatever answer there is. */
  readonly headers: readonly string[];
  /** A preflight: it is answered here, and goes no further. */
  readonly preflight: boolean;
}

/** Asks the list of allowed origins; undefined where there is none and browsers are told nothing. */
export type Cors = (head: RequestHead) => CorsAnswer;

export const ALLOW_ORIGIN = 'access-control-allow-origin';

const METHODS: readonly string[] = ['HEAD', 'GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];
const VARY = ['vary', 'Origin'];
const VARY_PREFLIGHT = [
  ...VARY,
  ...['vary', 'Access-Control-Request-Method'],
  ...['vary', 'Access-Control-Request-Headers'],
];

/**
 * `--allowed-origins` as daprd reads it: `*` for all, an origin in any case, or
 * one with a `*` in it. An origin that is not allowed is not refused: the answer
 * lacks the header without which its browser keeps it from the page.
 */
export function createCors(origins: readonly string[]): Cors | undefined {
  if (origins.length === 0) return undefined;
  const any = origins.includes('*');
  const patterns = origins.map(originPattern);
  const grant = (method: string, origin: string | undefined): readonly string[] => {
    // A header without a value is none.
    if (!origin || !METHODS.includes(method.toUpperCase())) return [];
    if (any) return [ALLOW_ORIGIN, '*'];
    const given = origin.toLowerCase();
    return patterns.some((matches) => matches(given)) ? [ALLOW_ORIGIN, origin] : [];
  };
  return ({ method, headers }) => {
    const origin = headerValue(headers, 'origin');
    const wanted = method === 'OPTIONS' && headerValue(headers, 'access-control-request-method');
    if (!wanted) return { preflight: false, headers: [...VARY, ...grant(method, origin)] };
    const granted = grant(wanted, origin);
    if (granted.length === 0) return { preflight: true, headers: VARY_PREFLIGHT };
    const names = headerNames(headerValue(headers, 'access-control-request-headers') ?? '');
    return {
      preflight: true,
      headers: [
        ...VARY_PREFLIGHT,
        ...granted,
        ...['access-control-allow-methods', wanted.toUpperCase()],
        ...(names.length === 0 ? [] : ['access-control-allow-headers', names.join(', ')]),
      ],
    };
  };
}

/** Whether no browser sends such a thing: an origin has a scheme and no path, or is `null`. A star may stand for the scheme. */
export function isNoOrigin(text: string): boolean {
  return !/^(?:null|\*[^/]*|[a-z*][a-z\d+.*-]*:\/\/[^/]+)$/i.test(text);
}

/** The first `*` stands for any text; a further one for itself. */
function originPattern(text: string): (origin: string) => boolean {
  const pattern = text.toLowerCase();
  const star = pattern.indexOf('*');
  if (star < 0) return (origin) => origin === pattern;
  const before = pattern.slice(0, star);
  const after = pattern.slice(star + 1);
  return (origin) =>
    origin.length >= pattern.length - 1 && origin.startsWith(before) && origin.endsWith(after);
}

/** In Go's spelling, `X-Request-Id`; what no header's name may hold is left out, and so is never sent back. */
function headerNames(list: string): readonly string[] {
  return list.split(/[ ,]/).flatMap((text) => {
    const name = text
      .toLowerCase()
      .replace(/[^a-z\d_.-]/g, '')
      .replace(/(?:^|-)[a-z]/g, (letter) => letter.toUpperCase());
    return name === '' ? [] : [name];
  });
}
