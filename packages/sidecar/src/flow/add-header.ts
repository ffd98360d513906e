/** Headers as node's HTTP/2 takes them. */
export type HeaderMap = Record<string, string | string[]>;

/** Adds a header, beside those that have its name. */
export function addHeader(headers: HeaderMap, name: string, value: string): void {
  const before = headers[name];
  headers[name] = before === undefined ? value : [before, value].flat();
}
