/** The first value of `name`, which is in lower case, among `name, value, …`. A value may be any text, the name of a header too. */
export function headerValue(headers: readonly string[], name: string): string | undefined {
  for (let at = 0; at + 1 < headers.length; at += 2) {
    if (headers[at] === name) return headers[at + 1];
  }
  return undefined;
}
