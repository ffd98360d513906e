/** A key, `=`, a value; then properties of the same form or bare (W3C Baggage §3.2). */
const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const VALUE = '[\\x21\\x23-\\x2b\\x2d-\\x3a\\x3c-\\x5b\\x5d-\\x7e]*';
const KEY = new RegExp(`^\\s*${TOKEN}\\s*$`);
const BARE_VALUE = new RegExp(`^${VALUE}$`);
const PROPERTY = new RegExp(`^\\s*${TOKEN}\\s*(=\\s*${VALUE}\\s*)?$`);
const BROKEN_ESCAPE = /%(?![0-9A-Fa-f]{2}).{0,2}/;

/** What is wrong with a `baggage` header, as daprd words it; undefined when there is none or it can be read. */
export function badBaggage(header: string | null | undefined): string | undefined {
  if (header == null || header.trim() === '') return undefined;
  for (const member of header.split(',')) {
    const why = badMember(member);
    if (why !== undefined) return `invalid baggage header: ${why}`;
  }
  return undefined;
}

function badMember(member: string): string | undefined {
  const [pair = '', ...properties] = member.split(';');
  const at = pair.indexOf('=');
  if (at === -1 || !KEY.test(pair.slice(0, at)) || !properties.every((one) => PROPERTY.test(one))) {
    return `invalid baggage list-member: ${JSON.stringify(member)}`;
  }
  const value = pair.slice(at + 1).trim();
  if (!BARE_VALUE.test(value)) return `invalid value: ${JSON.stringify(value)}`;
  const broken = BROKEN_ESCAPE.exec(value);
  return broken === null
    ? undefined
    : `invalid value: invalid URL escape ${JSON.stringify(broken[0])}`;
}
