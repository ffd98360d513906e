import type { HandlerContext, ServiceImpl } from '@connectrpc/connect';
import { inEventSpans } from '../../pubsub/publish/event-spans.ts';
import { BULK_FAILED } from '../../pubsub/publish/publish-routes.ts';
import { asksForRaw, type PublishService } from '../../pubsub/publish/publish-service.ts';
import { type TraceFacts, traceFacts } from '../../trace/tracing.ts';
import type { Dapr } from '../protos/dapr_pb.ts';
import type { BulkPublishRequest, BulkPublishResponse } from '../protos/pubsub_pb.ts';
import { SAID_ERROR, SPAN } from './call-guard.ts';

type PubSubRpcs = Pick<
  ServiceImpl<typeof Dapr>,
  'publishEvent' | 'bulkPublishEvent' | 'bulkPublishEventAlpha1'
>;

const DEFAULT_CONTENT_TYPE = 'text/plain';

/** Dapr's publishing over gRPC. */
export function pubsubRpcs(service: PublishService): PubSubRpcs {
  const bulk = async (
    request: BulkPublishRequest,
    { service: api, method, values }: HandlerContext,
  ) => {
    const { entries, metadata, pubsubName, topic } = request;
    const given = entries.map(({ entryId, event, contentType, metadata: own }) => ({
      entryId,
      event: Buffer.from(event),
      contentType: contentType || DEFAULT_CONTENT_TYPE,
      metadata: Object.keys(own).length === 0 ? undefined : own,
    }));
    // With the slash: the name is daprd's.
    const spanName = `/${api.typeName}/${method.name}/`;
    const failedEntries = await inEventSpans(values.get(SPAN), spanName, (trace) =>
      service.publishEntries(pubsubName, topic, given, { metadata, trace }),
    );
    if (failedEntries.length > 0) values.set(SAID_ERROR, BULK_FAILED);
    // Those that failed are named; daprd answers with an error, and which they were is lost.
    return { failedEntries: [...failedEntries] } as Partial<BulkPublishResponse> as never;
  };
  return {
    async publishEvent({ data, dataContentType, metadata, pubsubName, topic }, { values }) {
      const trace = traceFacts(values.get(SPAN));
      await service.publish(pubsubName, topic, {
        ...trace,
        metadata: asksForRaw(metadata) ? { ...metadata, ...besideRaw(trace) } : metadata,
        body: Buffer.from(data),
        contentType: dataContentType || DEFAULT_CONTENT_TYPE,
      });
      return {};
    },
    bulkPublishEvent: bulk,
    bulkPublishEventAlpha1: bulk,
  };
}

/** A raw event has no envelope to tell its trace in. Over HTTP Dapr leaves it out. */
const besideRaw = ({ traceparent: traceid, tracestate }: TraceFacts) => ({ traceid, tracestate });
