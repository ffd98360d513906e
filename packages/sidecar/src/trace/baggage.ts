/** A key, `=`, a value; then properties of the same form or bare (W3C Baggage §3.2). */
const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const VALUE = '[\\x21\\x23-\\x2b\\x2d-\\x3a\\x3c-\\x5b\\x5d-\\x7e]*';
const KEY = new RegExp(`^${TOKEN}$`);
const BARE_VALUE = new RegExp(`^${VALUE}$`);
/** A semicolon with nothing behind it is none. */
const PROPERTY = new RegExp(`^$|^\\s*${TOKEN}\\s*(=\\s*${VALUE}\\s*)?$`);
const BROKEN_ESCAPE = /%(?![0-9A-Fa-f]{2}).{0,2}/;
const BROKEN_VALUE = new RegExp(`=.*${BROKEN_ESCAPE.source}`);

/** Members with names of their own, and bytes of them all (§3.3.2): the least that everybody on the way must take. */
const MAX_MEMBERS = 64;
const MAX_BYTES = 8_192;

/** What is wrong with a `baggage` header, as daprd words it; undefined when there is none or it can be read. */
export function badBaggage(header: string | null | undefined): string | undefined {
  if (header == null || header.trim() === '') return undefined;
  const why = header.length > MAX_BYTES ? 'baggage-string too large' : badMembers(header);
  return why === undefined ? undefined : `invalid baggage header: ${why}`;
}

/** All that is wrong, a line each. */
function badMembers(header: string): string | undefined {
  const wrong: string[] = [];
  const keys = new Set<string>();
  for (const member of header.split(',')) {
    const read = readMember(member);
    if ('wrong' in read) wrong.push(read.wrong);
    else keys.add(read.key);
    if (keys.size <= MAX_MEMBERS) continue;
    wrong.push('too many list-members in baggage-string');
    break;
  }
  return wrong.length === 0 ? undefined : wrong.join('\n');
}

function readMember(member: string): { readonly key: string } | { readonly wrong: string } {
  const [pair = '', ...properties] = member.split(';');
  const property = properties.find((one) => !PROPERTY.test(one) || BROKEN_VALUE.test(one));
  if (property !== undefined) {
    return { wrong: `invalid baggage list-member property: ${JSON.stringify(property)}` };
  }
  const at = pair.indexOf('=');
  if (at === -1) return { wrong: `invalid baggage list-member: ${JSON.stringify(member)}` };
  const key = pair.slice(0, at).trim();
  if (!KEY.test(key)) return { wrong: `invalid key: ${JSON.stringify(key)}` };
  const value = pair.slice(at + 1).trim();
  if (!BARE_VALUE.test(value)) return { wrong: `invalid value: ${JSON.stringify(value)}` };
  const broken = BROKEN_ESCAPE.exec(value);
  return broken === null
    ? { key }
    : { wrong: `invalid value: invalid URL escape ${JSON.stringify(broken[0])}` };
}
