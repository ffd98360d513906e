import { type ComponentHandler, componentRoute } from '../../components/component-route.ts';
import { type BodyLimits, collectBody } from '../../flow/request-body.ts';
import { writeStruct } from '../../go-json/write-json.ts';
import type { Route } from '../../server/api-routes.ts';
import { queryMetadata } from '../../server/query-metadata.ts';
import { inEventSpans } from './event-spans.ts';
import type { PublishService } from './publish-service.ts';

const DEFAULT_CONTENT_TYPE = 'text/plain';
/** Some events of a bulk did not get to the broker. */
export const BULK_FAILED = 'ERR_PUBSUB_PUBLISH_MESSAGE';

/** `/v1.0/publish/…` over HTTP. */
export function publishRoutes(service: PublishService, limits: BodyLimits): readonly Route[] {
  const bulk: ComponentHandler = async (call, pubsub, topic) => {
    const body = await collectBody(call.req, limits);
    const metadata = queryMetadata(call.head.query);
    const failedEntries = await inEventSpans(call.span, call.head.path, (trace) =>
      service.publishBulk(pubsub, topic, body, { metadata, trace }),
    );
    if (failedEntries.length === 0) {
      call.empty(204);
      return;
    }
    const errorCode = BULK_FAILED;
    call.refusal = { errorCode, message: '' };
    call.json(500, writeStruct({ failedEntries, errorCode }));
  };
  const one: ComponentHandler = async (call, pubsub, topic) => {
    const body = await collectBody(call.req, limits);
    const contentType = call.req.headers['content-type'] || DEFAULT_CONTENT_TYPE;
    const metadata = queryMetadata(call.head.query);
    await service.publish(pubsub, topic, { ...call.trace, metadata, body, contentType });
    call.empty(204);
  };
  return ['POST', 'PUT'].flatMap((method) => [
    componentRoute(method, /^\/v1\.0(?:-alpha1)?\/publish\/bulk\/([^/]+)\/(.+)$/, bulk),
    componentRoute(method, /^\/v1\.0\/publish\/([^/]+)\/(.+)$/, one),
  ]);
}
