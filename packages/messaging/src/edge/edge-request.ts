import type { Readable } from 'node:stream';

/** Header fields as Node's servers have them: names in lower case. */
export type EdgeHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

/** A request as the edge sees it, whatever framework it came through. */
export interface EdgeRequest<Raw = unknown> {
  readonly method: string;
  /** Path and query, as they came. */
  readonly url: string;
  /** Where a framework has mounted the edge: stands before its path in `Location`. @default '' */
  readonly base?: string;
  readonly headers: EdgeHeaders;
  readonly body: EdgeBody;
  /** The framework's own request: who is signed in, for instance. */
  readonly raw: Raw;
}

/**
 * A stream that nobody has read, which is the best: then limits hold while it comes. Or what a
 * parser made of it: bytes and text are kept as they are, anything else is written as JSON anew.
 */
export type EdgeBody =
  | Readable
  | Uint8Array
  | string
  | object
  | number
  | boolean
  | null
  | undefined;

/** What `topic`, `key` and `id` decide from: the request, read to its end. */
export interface EdgeEvent<Raw = unknown> {
  readonly url: string;
  readonly headers: EdgeHeaders;
  readonly body: Uint8Array;
  /** The body as a value; undefined unless `json` asks for it. */
  readonly json: unknown;
  readonly raw: Raw;
}

export interface EdgeAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** JSON. */
  readonly body: string;
  /** The client may be sending yet: what comes is to be thrown away, and soon cut off. */
  readonly unread: boolean;
}

/** The first value of a header. `name` in lower case. */
export function headerOf(headers: EdgeHeaders, name: string): string | undefined {
  const value = headers[name];
  return typeof value === 'string' ? value : value?.[0];
}

/** An answer of the edge. */
export function answerOf(
  status: number,
  body: object,
  {
    headers = {},
    unread = false,
  }: { readonly headers?: Readonly<Record<string, string>>; readonly unread?: boolean } = {},
): EdgeAnswer {
  return {
    status,
    headers: {
      'content-type': 'application/json; charset=utf-8',
      'cache-control': 'no-store',
      ...headers,
    },
    body: JSON.stringify(body),
    unread,
  };
}
