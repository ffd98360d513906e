/** What a path may hold as it is. */
const WRITTEN = /^(?:[\w.~!$&'()*+,;=:@/[\]-]|%[\da-f]{2})*$/i;

/**
 * A path as it came, with its escapes; one that holds what should have been escaped as Go would have
 * written it. It has a letter for each byte, as heads have.
 */
export function writtenPath(path: string): string {
  if (WRITTEN.test(path)) return path;
  return path
    .replaceAll(/%([\da-f]{2})/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)))
    .replaceAll(/[^\w.~$&+,/:;=@-]/g, escaped);
}

function escaped(letter: string): string {
  const bytes = Buffer.from(letter, letter <= '\xff' ? 'latin1' : 'utf8');
  return [...bytes].map((byte) => `%${byte.toString(16).padStart(2, '0').toUpperCase()}`).join('');
}
