import type { IncomingMessage, ServerResponse } from 'node:http';
import type { BodyFilter } from './middleware.ts';

/**
 * Changes the body of a request where it comes out of node's parser. In place,
 * and not by a stream beside it, so that whoever reads the body, also in a
 * route that is not written yet, reads the changed one.
 */
export function changeRequest(req: IncomingMessage, filter: BodyFilter): void {
  const emit = req.emit.bind(req);
  req.emit = (event: string | symbol, ...args: unknown[]): boolean => {
    if (event === 'data') return emitted(filter.push(args[0] as Buffer));
    if (event === 'end') emitted(filter.end());
    return emit(event, ...args);
  };
  const emitted = (chunk: Buffer): boolean => chunk.length === 0 || emit('data', chunk);
}

/** Changes the body of an answer on its way to node, likewise in place. */
export function changeAnswer(res: ServerResponse, filter: BodyFilter): void {
  const write = res.write.bind(res) as (chunk: Buffer) => boolean;
  const end = res.end.bind(res) as (chunk?: Buffer) => ServerResponse;
  res.write = ((chunk: unknown, encoding?: unknown): boolean => {
    const changed = filter.push(bytesOf(chunk, encoding));
    return changed.length === 0 || write(changed);
  }) as ServerResponse['write'];
  res.end = ((chunk?: unknown, encoding?: unknown): ServerResponse => {
    // The wrapped `end` may call `write`, which must not change the rest again.
    res.write = write as ServerResponse['write'];
    if (chunk === undefined || chunk === null || typeof chunk === 'function') {
      const rest = filter.end();
      return rest.length === 0 ? end() : end(rest);
    }
    const last = filter.push(bytesOf(chunk, encoding));
    return end(Buffer.concat([last, filter.end()]));
  }) as ServerResponse['end'];
}

function bytesOf(chunk: unknown, encoding: unknown): Buffer {
  if (typeof chunk !== 'string') return chunk as Buffer;
  return Buffer.from(chunk, typeof encoding === 'string' ? (encoding as BufferEncoding) : 'utf8');
}
