/** Headers as node's HTTP/2 takes them. */
export type HeaderMap = Record<string, string | string[]>;

const CHANGEABLE = { configurable: true, writable: true };

/** Adds a header, beside those that have its name. */
export function addHeader(headers: HeaderMap, name: string, value: string): void {
  // `headers` is an object like any other: without a look, `constructor` would have come before.
  const before = Object.hasOwn(headers, name) ? headers[name] : undefined;
  const all = before === undefined ? value : [before, value].flat();
  if (name !== '__proto__') headers[name] = all;
  // Set by its name it would become what the object is made of, and be sent to nobody.
  else Object.defineProperty(headers, name, { value: all, enumerable: true, ...CHANGEABLE });
}
