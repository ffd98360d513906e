import type { IncomingHttpHeaders } from 'node:http2';
import type { HeaderMap } from '../../flow/headers/add-header.ts';

/**
 * Metadata of a call, as much of `Headers` as a service and its interceptors use. Names are in lower case.
 * A `Headers` of the platform checks and sorts what HTTP/2 has checked already, and costs more than the rest of a small call.
 */
export class RpcHeaders implements Iterable<[string, string]> {
  readonly #values = new Map<string, string>();

  /** Without what stands for HTTP/1's first line. */
  static of(headers: IncomingHttpHeaders): RpcHeaders {
    const made = new RpcHeaders();
    for (const name in headers) {
      const value = headers[name];
      if (value === undefined || name.charCodeAt(0) === COLON) continue;
      made.#values.set(name, typeof value === 'string' ? value : value.join(', '));
    }
    return made;
  }

  /** As the types of connect have it. */
  get asHeaders(): Headers {
    return this as unknown as Headers;
  }

  /** `name, value, …` */
  list(): string[] {
    const all: string[] = [];
    for (const [name, value] of this.#values) all.push(name, value);
    return all;
  }

  map(): HeaderMap {
    const all: HeaderMap = {};
    for (const [name, value] of this.#values) all[name] = value;
    return all;
  }

  get(name: string): string | null {
    return this.#values.get(name.toLowerCase()) ?? null;
  }

  has(name: string): boolean {
    return this.#values.has(name.toLowerCase());
  }

  set(name: string, value: string): void {
    this.#values.set(name.toLowerCase(), value);
  }

  append(name: string, value: string): void {
    const before = this.get(name);
    this.set(name, before === null ? value : `${before}, ${value}`);
  }

  delete(name: string): void {
    this.#values.delete(name.toLowerCase());
  }

  forEach(each: (value: string, name: string) => void): void {
    this.#values.forEach(each);
  }

  entries(): IterableIterator<[string, string]> {
    return this.#values.entries();
  }

  keys(): IterableIterator<string> {
    return this.#values.keys();
  }

  values(): IterableIterator<string> {
    return this.#values.values();
  }

  [Symbol.iterator](): IterableIterator<[string, string]> {
    return this.#values.entries();
  }
}

const COLON = 58;
