import type { BodyLimits } from '../flow/request-body.ts';
import { BodyTooLargeError, collectBody } from '../flow/request-body.ts';
import { writeStruct } from '../go-json/write-json.ts';
import type { ApiCall } from '../server/api-call.ts';
import { ApiError } from '../server/api-error.ts';
import type { Route } from '../server/api-routes.ts';
import { decodeSegment } from '../server/decode-segment.ts';
import { metadataBody } from './metadata.ts';
import type { MetadataService } from './metadata-service.ts';

export function metadataRoutes(service: MetadataService, limits: BodyLimits): readonly Route[] {
  return [
    {
      method: 'GET',
      path: /^\/v1\.0\/metadata$/,
      handle: (call) => call.encoded(200, writeStruct(metadataBody(service.snapshot()))),
    },
    {
      method: 'PUT',
      path: /^\/v1\.0\/metadata\/([^/]+)$/,
      handle: (call, match) => void put(call, decodeSegment(match[1]!), service, limits),
    },
  ];
}

async function put(
  call: ApiCall,
  key: string,
  service: MetadataService,
  limits: BodyLimits,
): Promise<void> {
  try {
    service.mayHold(key);
    if (call.head.bodyLength > limits.maxBodyBytes)
      throw new BodyTooLargeError(limits.maxBodyBytes);
    const body = call.head.bodyLength === 0 ? '' : await collectBody(call.req, limits);
    service.set(key, body.toString());
  } catch (error) {
    if (call.res.destroyed) return;
    if (error instanceof ApiError) {
      const { errorCode, message, status } = error;
      return call.error(status, { errorCode, message });
    }
    const message = `failed to read request body: ${(error as Error).message}`;
    const status = error instanceof BodyTooLargeError ? 413 : 400;
    return call.error(status, { errorCode: 'ERR_BODY_READ', message });
  }
  call.empty(204);
}
