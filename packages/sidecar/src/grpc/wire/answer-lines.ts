import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import { createContextKey } from '@connectrpc/connect';
import { addHeader, type HeaderMap } from '../../flow/headers/add-header.ts';

/** Metadata beside those that connect writes, `name, value, …`: a line for each value, where `Headers` makes one of all. */
export interface AnswerLines {
  readonly head: string[];
  readonly trailers: string[];
}

/** The lines of the answer that a handler is making; undefined where nobody writes them. */
export const LINES = createContextKey<AnswerLines | undefined>(undefined, { description: 'lines' });

const kept = new WeakMap<object, AnswerLines>();

/** Writes an answer's lines with what connect writes of it, and the content type that the client named its own by. */
export function writeLines(req: Http2ServerRequest, res: Http2ServerResponse): void {
  const lines: AnswerLines = { head: [], trailers: [] };
  kept.set(req, lines);
  const writeHead = res.writeHead.bind(res) as (status: number, headers: HeaderMap) => typeof res;
  res.writeHead = ((status: number, given: HeaderMap = {}) => {
    // Connect adds `+proto` to a type that went without, as clients in Go write it.
    const type = status === 200 ? req.headers['content-type'] : undefined;
    return writeHead(
      status,
      joined(type === undefined ? given : { ...given, 'content-type': type }, lines.head),
    );
  }) as typeof res.writeHead;
  const add = res.addTrailers.bind(res);
  res.addTrailers = (trailers) => add(joined(trailers as HeaderMap, lines.trailers));
}

/** What `writeLines` writes beside the answer to that request. */
export const linesOf = (req: object): AnswerLines | undefined => kept.get(req);

/** What is given, and a line for each value beside it. */
export function joined(given: HeaderMap, lines: readonly string[]): HeaderMap {
  if (lines.length === 0) return given;
  const all: HeaderMap = { ...given };
  for (let at = 0; at + 1 < lines.length; at += 2) addHeader(all, lines[at]!, lines[at + 1]!);
  return all;
}
