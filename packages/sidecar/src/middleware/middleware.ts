import { unescaped } from '../flow/unescaped.ts';

/** The head of a request, on its way to the API or to the application. */
export interface PassingHead {
  readonly method: string;
  /** Path and query as on the wire. */
  readonly path: string;
  /** `name, value, …`, names in lower case. */
  readonly headers: readonly string[];
  /** `address:port` of who sent it; undefined where another sidecar stands in between. */
  readonly from: string | undefined;
}

/** What a middleware says to a request. */
export type Verdict =
  /** On it goes, perhaps to another path; `headers` are added to the answer. */
  | { readonly kind: 'pass'; readonly path?: string; readonly headers?: readonly string[] }
  /** It is answered here and goes no further. */
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly headers: readonly string[];
      readonly body: string;
    };

/** Changes one body as it passes, chunk by chunk, and never its length: that was told before. */
export interface BodyFilter {
  push(chunk: Buffer): Buffer;
  /** What was held back. */
  end(): Buffer;
}

/** A component of type `middleware.http.*`: what stands before the API, or before the application. */
export interface Middleware {
  judge?(head: PassingHead): Verdict | Promise<Verdict>;
  /** A filter for the body of one request. */
  readonly request?: () => BodyFilter;
  /** A filter for the body of one answer. */
  readonly answer?: () => BodyFilter;
  close?(): Promise<void>;
}

export const PASS: Verdict = { kind: 'pass' };

/** An answer in plain text, as Dapr's middleware writes it. */
export function plainAnswer(
  status: number,
  body: string,
  headers: readonly string[] = [],
): Verdict {
  return {
    kind: 'answer',
    status,
    headers: ['content-type', 'text/plain; charset=utf-8', ...headers],
    body,
  };
}

/** Path without escapes, and the query with its `?` as it is. */
export function readPath(path: string): { readonly path: string; readonly query: string } {
  const mark = path.indexOf('?');
  const raw = mark === -1 ? path : path.slice(0, mark);
  return { path: unescaped(raw), query: mark === -1 ? '' : path.slice(mark) };
}
