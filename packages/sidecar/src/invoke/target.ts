/** Whom a request is for, and which part of its path is the method's. */
export interface Target {
  /** As the client wrote it, escapes undone: `app`, `app.namespace`, an endpoint's name or a URL. */
  readonly id: string;
  /** Raw: neither cleaned nor unescaped. */
  readonly method: string;
}

const INVOKE = '/v1.0/invoke/';
/** Slashes too many before the app id are overlooked, as in Dapr. */
const INVOKE_LOOSELY = /^\/+v1\.0\/+invoke\/+/;
const SLASH = 47;

/**
 * Finds the target of a request in its header, its basic auth user or its path,
 * in this order; undefined if none of them names one.
 */
export function findTarget(
  path: string,
  appIdHeader: string | undefined,
  authorization: string | undefined,
): Target | undefined {
  if (appIdHeader !== undefined && appIdHeader !== '') return { id: appIdHeader, method: path };
  if (authorization !== undefined) {
    const id = basicAuthAppId(authorization);
    if (id !== undefined) return { id, method: path };
  }
  const found =
    path.startsWith(INVOKE) && path.charCodeAt(INVOKE.length) !== SLASH
      ? targetInPath(path)
      : INVOKE_LOOSELY.test(path)
        ? targetInPath(path.replace(INVOKE_LOOSELY, INVOKE))
        : undefined;
  return found === undefined && path.includes('%') ? targetInEscapes(path) : found;
}

/** Go has undone all escapes before it looks for the words of the route, and for the slashes between them. */
function targetInEscapes(path: string): Target | undefined {
  const [, raw, method] = INVOKE_ESCAPED.exec(path) ?? [];
  const id = raw === undefined ? undefined : unescaped(raw);
  return id === undefined || method === undefined ? undefined : { id, method };
}

/** Each character as it is or as its escape, whose digits may be in either case. */
function escapable(words: string): string {
  const each = [...words].map((char) => {
    const hex = char.charCodeAt(0).toString(16);
    const digits = hex.replaceAll(/[a-f]/g, (digit) => `[${digit}${digit.toUpperCase()}]`);
    return `(?:${char === '.' ? '\\.' : char}|%${digits})`;
  });
  return each.join('');
}

const ANY_SLASH = escapable('/');
const INVOKE_ESCAPED = new RegExp(
  `^${ANY_SLASH}+${escapable('v1.0')}${ANY_SLASH}+${escapable('invoke')}${ANY_SLASH}+(.+?)${escapable('/method/')}(.*)$`,
);

function targetInPath(path: string): Target | undefined {
  const at = path.indexOf('/method/', INVOKE.length);
  if (at <= INVOKE.length) return undefined;
  const raw = path.slice(INVOKE.length, at);
  const id = raw.includes('%') ? unescaped(raw) : raw;
  return id === undefined ? undefined : { id, method: path.slice(at + '/method/'.length) };
}

function unescaped(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** `http://dapr-app-id:<id>@localhost:3500/…`: the user name, in any case, says that the password is an app id. */
function basicAuthAppId(authorization: string): string | undefined {
  if (authorization.slice(0, 6).toLowerCase() !== 'basic ') return undefined;
  const text = Buffer.from(authorization.slice(6), 'base64').toString('utf8');
  const colon = text.indexOf(':');
  if (text.slice(0, colon).toLowerCase() !== 'dapr-app-id') return undefined;
  const id = text.slice(colon + 1);
  // A colon more is no user name and password of Dapr's kind: a URL cannot be named this way.
  return id === '' || id.includes(':') ? undefined : id;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for.
const CONTROL = /[\u0000-\u001f\u007f]/;

/** An app id taken apart: `orders.production` → `orders` in `production`. */
export type AppAddress =
  | { readonly appId: string; readonly namespace: string }
  | { readonly refused: string };

export function splitAppId(id: string, ownNamespace: string): AppAddress {
  // An id goes into headers and frames, where a line break would begin another line.
  if (CONTROL.test(id)) return { refused: `invalid app id ${JSON.stringify(id)}` };
  const dot = id.indexOf('.');
  if (dot === -1) return { appId: id, namespace: ownNamespace };
  const namespace = id.slice(dot + 1);
  if (namespace.includes('.')) return { refused: `invalid app id ${id}` };
  return { appId: id.slice(0, dot), namespace };
}

/** Whether an id is a base URL outside the mesh. */
export function isUrl(id: string): boolean {
  return id.startsWith('http://') || id.startsWith('https://');
}
