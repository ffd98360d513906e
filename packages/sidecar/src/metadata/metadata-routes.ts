import type { BodyLimits } from '../flow/request-body.ts';
import { BodyTooLargeError, collectBody } from '../flow/request-body.ts';
import type { ApiCall } from '../server/api-call.ts';
import type { Route } from '../server/api-routes.ts';
import { type MetadataSources, metadataBody } from './metadata.ts';

/** Keys a client may add; beyond, the newest is refused. */
const MAX_EXTENDED = 1_000;

export function metadataRoutes(
  sources: () => Omit<MetadataSources, 'extended'>,
  limits: BodyLimits,
): readonly Route[] {
  const extended = new Map<string, string>();
  return [
    {
      method: 'GET',
      path: /^\/v1\.0\/metadata$/,
      handle: (call) =>
        call.json(200, JSON.stringify(metadataBody({ ...sources(), extended })), []),
    },
    {
      method: 'PUT',
      path: /^\/v1\.0\/metadata\/([^/]+)$/,
      handle: (call, match) => void put(call, decode(match[1]!), extended, limits),
    },
  ];
}

async function put(
  call: ApiCall,
  key: string,
  extended: Map<string, string>,
  limits: BodyLimits,
): Promise<void> {
  if (!extended.has(key) && extended.size >= MAX_EXTENDED) {
    const message = `metadata holds ${MAX_EXTENDED} keys already`;
    return call.json(400, JSON.stringify({ errorCode: 'ERR_MALFORMED_REQUEST', message }));
  }
  try {
    if (call.head.bodyLength > limits.maxBodyBytes)
      throw new BodyTooLargeError(limits.maxBodyBytes);
    const body = call.head.bodyLength === 0 ? '' : await collectBody(call.req, limits);
    extended.set(key, body.toString());
  } catch (error) {
    if (call.res.destroyed) return;
    const message = `failed to read request body: ${(error as Error).message}`;
    const status = error instanceof BodyTooLargeError ? 413 : 400;
    return call.json(status, JSON.stringify({ errorCode: 'ERR_BODY_READ', message }));
  }
  call.empty(204);
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    // Bytes that are no UTF-8 are a name as good as any.
    return segment;
  }
}
