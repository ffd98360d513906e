/** A key, `=`, a value; then properties of the same form or bare (W3C Baggage §3.2). */
const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const VALUE = '[\\x21\\x23-\\x2b\\x2d-\\x3a\\x3c-\\x5b\\x5d-\\x7e]*';
const MEMBER = new RegExp(
  `^\\s*${TOKEN}\\s*=\\s*${VALUE}\\s*(;\\s*${TOKEN}\\s*(=\\s*${VALUE}\\s*)?)*$`,
);

/** The first member of a `baggage` header that cannot be read; undefined if all can. */
export function badBaggage(header: string): string | undefined {
  // A comma too many is tolerated, as Go's parser does not: an empty member carries nothing.
  return header.split(',').find((member) => member.trim() !== '' && !MEMBER.test(member));
}
