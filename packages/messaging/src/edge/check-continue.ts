import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { placeOf } from './accept-request.ts';
import { EDGE_DEFAULTS } from './edge-options.ts';

/**
 * Lets clients that ask first (`expect: 100-continue`) hear 413 instead of sending what would be
 * refused: `server.on('checkContinue', checkContinue({ path, maxBodyBytes }))`, with the options of
 * the edge, whatever framework is behind the server. Without it Node says "continue" to everybody.
 */
export function checkContinue({
  path = EDGE_DEFAULTS.path,
  maxBodyBytes = EDGE_DEFAULTS.maxBodyBytes,
}: {
  readonly path?: string;
  readonly maxBodyBytes?: number;
} = {}): (this: Server, request: IncomingMessage, response: ServerResponse) => void {
  return function (request, response) {
    const isEvent = placeOf(path, request.url ?? '/')?.kind === 'events';
    const isTooLarge = Number(request.headers['content-length'] ?? 0) > maxBodyBytes;
    if (!isEvent || !isTooLarge) response.writeContinue();
    this.emit('request', request, response);
  };
}
