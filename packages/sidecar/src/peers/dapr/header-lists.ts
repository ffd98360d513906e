import { canonicalName } from '../../flow/headers/canonical-name.ts';
import { isHopByHop, nominatedNames } from '../../flow/headers/hop-by-hop.ts';

/** A header's values by its name, as daprd's sidecars send them to each other. */
export type HeaderLists = Record<string, { values: string[] }>;

/** `name, value, …` as lists. Go looks some of HTTP's names up as it writes them itself, and bytes by the end of their name. */
export function headerLists(headers: Iterable<readonly [string, string]>): HeaderLists {
  const lists: HeaderLists = Object.create(null);
  for (const [name, value] of headers) {
    const key = /^dapr-|-bin$/.test(name) ? name : canonicalName(name);
    lists[key] ??= { values: [] };
    lists[key].values.push(name.endsWith('-bin') ? padded(value) : utf8(value));
  }
  return lists;
}

const utf8 = (value: string): string =>
  ASCII.test(value) ? value : Buffer.from(value, 'latin1').toString();

/** gRPC leaves the padding of Base64 out, and daprd reads none without. */
const padded = (value: string): string => value.padEnd(Math.ceil(value.length / 4) * 4, '=');

/** A header that HTTP cannot have: what is sent on must not be more than was meant. */
export class BadHeaderError extends Error {
  readonly code = 'BAD_HEADER';

  constructor(name: string) {
    super(`no header can be ${JSON.stringify(name)} with what it has`);
    this.name = 'BadHeaderError';
  }
}

/** All others are bytes to HTTP and characters to protobuf. */
const ASCII = /^[ -~]*$/;
const NAME = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;
const VALUE = /^[\t -~\x80-\xff]*$/;

/** Who calls whom is written by daprd itself, in lower case; a client's own words stand beside it in HTTP's spelling. */
const IDENTITY = /^dapr-(?:caller-app-id|caller-namespace|callee-app-id)$/;

/** The other way, names in lower case; those of one connection and of the message's own fields are left out. */
export function* headersOf(lists: HeaderLists): Iterable<readonly [string, string]> {
  let nominated: Set<string> | undefined;
  for (const [key, { values }] of Object.entries(lists)) {
    if (key.toLowerCase() !== 'connection') continue;
    for (const value of values) nominated = nominatedNames(value, nominated);
  }
  for (const [key, { values }] of Object.entries(lists)) {
    const lower = key.toLowerCase();
    const name = shown(lower);
    if (isHopByHop(name) || nominated?.has(name) || name === 'content-type') continue;
    if (IDENTITY.test(lower) && key !== lower) continue;
    for (const value of values) yield [name, headerValue(name, value)];
  }
}

/** @throws BadHeaderError */
export function headerValue(name: string, text: string): string {
  const value = ASCII.test(text) ? text : Buffer.from(text).toString('latin1');
  if (!NAME.test(name) || !VALUE.test(value)) throw new BadHeaderError(name);
  return value;
}

/** What gRPC has for itself, as Dapr names it to applications. */
function shown(name: string): string {
  if (name.startsWith(':')) return `dapr-${name.slice(1)}`;
  return /^grpc-(?!trace-bin)/.test(name) ? `dapr-${name}` : name;
}
