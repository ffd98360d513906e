import { FlagError } from './flag.ts';

/** `--header name=value`, as often as there are headers. */
export function headersOf(texts: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    texts.map((text) => {
      const at = text.indexOf('=');
      if (at > 0) return [text.slice(0, at), text.slice(at + 1)];
      throw new FlagError(`--header must be NAME=VALUE, not "${text}".`);
    }),
  );
}
