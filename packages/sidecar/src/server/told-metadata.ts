/** What may be in a header's name, as Go has it. */
const NAME = /^[!#$%&'*+\-.^_`|~\dA-Za-z]*$/;

/**
 * Metadata of a component's answer as headers, which can hold less than a text can: its bytes, on one line, as
 * Go writes them; what cannot be part of a name is left out, as Go leaves it out.
 */
export function toldMetadata(metadata: Readonly<Record<string, string>>): string[] {
  return Object.entries(metadata).flatMap(([name, value]) => {
    if (!NAME.test(name)) return [];
    const line = value.replaceAll(/[\r\n]/g, ' ').trim();
    const bytes = Buffer.from(line).toString('latin1');
    return [`metadata.${name.toLowerCase()}`, bytes.replaceAll(/[^\t\x20-\x7e\x80-\xff]/g, '?')];
  });
}
