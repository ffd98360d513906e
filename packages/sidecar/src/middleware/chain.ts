import {
  type BodyFilter,
  type Middleware,
  PASS,
  type PassingHead,
  type Verdict,
} from './middleware.ts';

/** What all middleware together say to one request. */
export interface ChainVerdict {
  /** Whether it goes on, and where to; or the answer it gets here. */
  readonly verdict: Verdict;
  /** For every answer, whoever gives it. */
  readonly headers: readonly string[];
  /** For the body of the request, in this order. */
  readonly request: readonly BodyFilter[];
  /** For the body of the answer, in this order: the outermost comes last. */
  readonly answer: readonly BodyFilter[];
}

interface Walk {
  head: PassingHead;
  readonly headers: string[];
  readonly request: BodyFilter[];
  readonly answer: BodyFilter[];
}

/**
 * Asks middleware in the order of the file, as long as they let the request
 * pass. At once where all of them know at once.
 */
export function passThrough(
  chain: readonly Middleware[],
  head: PassingHead,
): ChainVerdict | Promise<ChainVerdict> {
  return walkFrom(0, chain, { head, headers: [], request: [], answer: [] });
}

function walkFrom(
  start: number,
  chain: readonly Middleware[],
  walk: Walk,
): ChainVerdict | Promise<ChainVerdict> {
  for (let at = start; at < chain.length; at += 1) {
    const one = chain[at]!;
    const verdict = one.judge?.(walk.head) ?? PASS;
    if (verdict instanceof Promise) {
      return verdict.then((known) => take(walk, one, known) ?? walkFrom(at + 1, chain, walk));
    }
    const ended = take(walk, one, verdict);
    if (ended !== undefined) return ended;
  }
  const { head, headers, request, answer } = walk;
  return { verdict: { kind: 'pass', path: head.path }, headers, request, answer };
}

/** The end of the walk where the request is answered here. */
function take(walk: Walk, one: Middleware, verdict: Verdict): ChainVerdict | undefined {
  const { headers, request, answer } = walk;
  if (verdict.kind === 'answer') return { verdict, headers, request, answer };
  if (verdict.headers !== undefined) headers.push(...verdict.headers);
  if (verdict.path !== undefined) walk.head = { ...walk.head, path: verdict.path };
  if (one.request !== undefined) request.push(one.request());
  if (one.answer !== undefined) answer.unshift(one.answer());
  return undefined;
}

/** Several filters as one; undefined for none. */
export function joinFilters(filters: readonly BodyFilter[]): BodyFilter | undefined {
  if (filters.length < 2) return filters[0];
  return {
    push: (chunk) => filters.reduce((bytes, filter) => filter.push(bytes), chunk),
    end: () =>
      filters.reduce<Buffer>(
        (bytes, filter) => Buffer.concat([filter.push(bytes), filter.end()]),
        Buffer.alloc(0),
      ),
  };
}
