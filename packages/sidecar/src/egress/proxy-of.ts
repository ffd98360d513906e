import { BlockList, isIP } from 'node:net';

/** Through which proxy an address outside is asked; undefined: through none. @throws Error for one that is named and is none. */
export type ProxyOf = (url: URL) => URL | undefined;

/** Where nothing is said of proxies. */
export const WITHOUT_PROXY: ProxyOf = () => undefined;

type Variables = Readonly<Record<string, string | undefined>>;

/**
 * The proxies that `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY` name, read as Go's clients read them, and
 * with them daprd. This machine itself is never asked through one.
 */
export function proxyOf(variables: Variables): ProxyOf {
  const [http, https] = [read(variables, 'HTTP_PROXY'), read(variables, 'HTTPS_PROXY')];
  if (http === undefined && https === undefined) return WITHOUT_PROXY;
  const direct = directHosts(read(variables, 'NO_PROXY') ?? '');
  return (url) => {
    const secure = url.protocol === 'https:';
    const given = secure ? https : http;
    if (given === undefined) return undefined;
    const host = url.hostname.replace(/^\[|\]$/g, '').toLowerCase();
    const port = url.port || (secure ? '443' : '80');
    if (isThisMachine(host) || direct(host, port)) return undefined;
    return proxyAt(given, secure ? 'HTTPS_PROXY' : 'HTTP_PROXY');
  };
}

const read = (variables: Variables, name: string): string | undefined =>
  variables[name] || variables[name.toLowerCase()] || undefined;

/** Its value is not shown: a password may be in it. */
function proxyAt(given: string, variable: string): URL {
  const text = given.includes('://') ? given : `http://${given}`;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return url;
  throw new Error(
    `invalid proxy address in ${variable}: it must be http://HOST:PORT or https://HOST:PORT`,
  );
}

function isThisMachine(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

/** `*`, addresses, networks such as `10.0.0.0/8`, and domains with all below them, or below alone after a dot; each with a port or for all. */
function directHosts(text: string): (host: string, port: string) => boolean {
  const rules = text
    .split(',')
    .map((one) => one.trim().toLowerCase())
    .filter((one) => one !== '')
    .map(directRule);
  return (host, port) => rules.some((rule) => rule(host, port));
}

function directRule(entry: string): (host: string, port: string) => boolean {
  if (entry === '*') return () => true;
  const [, base = '', bits] = /^(.+)\/(\d+)$/.exec(entry) ?? [];
  if (bits !== undefined && isIP(base) !== 0) return inNetwork(base, Number(bits));
  const [, bracketed, plain, at] = /^(?:\[(.+)\]|([^:]+))(?::(\d+))?$/.exec(entry) ?? [];
  const name = bracketed ?? plain ?? entry;
  const ofPort = (port: string) => at === undefined || at === port;
  if (isIP(name) !== 0) return (host, port) => host === name && ofPort(port);
  const below = name.replace(/^\*/, '');
  const suffix = below.startsWith('.') ? below : `.${below}`;
  return (host, port) => (host.endsWith(suffix) || host === below) && ofPort(port);
}

function inNetwork(base: string, bits: number): (host: string) => boolean {
  const family = (address: string) => (isIP(address) === 6 ? 'ipv6' : 'ipv4');
  const network = new BlockList();
  try {
    network.addSubnet(base, bits, family(base));
  } catch {
    // More bits than there are: it is nobody's network.
  }
  return (host) => isIP(host) !== 0 && network.check(host, family(host));
}
