import { isPolicyError } from '@holdfast/core';
import { formatTraceparent } from '@holdfast/core/trace';
import { type BodyLimits, BodyTooLargeError, collectBody } from '../flow/request-body.ts';
import { ClientGoneError } from '../flow/upstream-error.ts';
import { refusalHeaders } from '../invoke/invoke-error.ts';
import type { ApiCall } from '../server/api-call.ts';
import type { Route } from '../server/api-routes.ts';
import { queryMetadata } from '../server/query-metadata.ts';
import type { PublishService } from './publish-service.ts';
import { PubSubError } from './pubsub-error.ts';

const DEFAULT_CONTENT_TYPE = 'text/plain';

/** `/v1.0/publish/…` over HTTP. */
export function publishRoutes(service: PublishService, limits: BodyLimits): readonly Route[] {
  const bulk = async (call: ApiCall, pubsub: string, topic: string) => {
    const body = await collectBody(call.req, limits);
    const failedEntries = await service.publishBulk(pubsub, topic, body, common(call));
    if (failedEntries.length === 0) {
      call.empty(204);
      return;
    }
    const errorCode = 'ERR_PUBSUB_PUBLISH_MESSAGE';
    call.json(500, JSON.stringify({ failedEntries, errorCode }));
  };
  const one = async (call: ApiCall, pubsub: string, topic: string) => {
    const body = await collectBody(call.req, limits);
    const contentType = call.req.headers['content-type'] || DEFAULT_CONTENT_TYPE;
    await service.publish(pubsub, topic, { ...common(call), body, contentType });
    call.empty(204);
  };
  return ['POST', 'PUT'].flatMap((method) => [
    route(method, /^\/v1\.0(?:-alpha1)?\/publish\/bulk\/([^/]+)\/(.+)$/, bulk),
    route(method, /^\/v1\.0\/publish\/([^/]+)\/(.+)$/, one),
  ]);
}

function common(call: ApiCall) {
  const { span } = call;
  return {
    metadata: queryMetadata(call.head.query),
    traceparent: span === undefined ? '' : formatTraceparent(span),
    tracestate: span?.state ?? '',
  };
}

function route(
  method: string,
  path: RegExp,
  handle: (call: ApiCall, pubsub: string, topic: string) => Promise<void>,
): Route {
  return {
    method,
    path,
    handle(call, [, pubsub = '', topic = '']) {
      handle(call, decodeURIComponent(pubsub), decodeURIComponent(topic)).catch((error: unknown) =>
        fail(call, error),
      );
    },
  };
}

function fail(call: ApiCall, error: unknown): void {
  if (error instanceof ClientGoneError || call.res.destroyed) return;
  if (error instanceof BodyTooLargeError) {
    call.json(413, JSON.stringify({ errorCode: 'ERR_BODY_READ', message: error.message }));
    return;
  }
  if (!(error instanceof PubSubError)) {
    call.failed(error);
    return;
  }
  const { cause, details, errorCode, message, status } = error;
  const headers = isPolicyError(cause) ? refusalHeaders(cause) : [];
  call.json(status, JSON.stringify({ errorCode, message, details }), headers);
}
