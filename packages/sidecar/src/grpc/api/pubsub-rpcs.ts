import type { HandlerContext, ServiceImpl } from '@connectrpc/connect';
import { BULK_FAILED } from '../../pubsub/publish/publish-routes.ts';
import {
  asksForRaw,
  type PublishService,
  type SharedFacts,
} from '../../pubsub/publish/publish-service.ts';
import { traceFacts } from '../../trace/tracing.ts';
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
  const bulk = async (request: BulkPublishRequest, context: HandlerContext) => {
    const { entries, metadata, pubsubName, topic } = request;
    const failedEntries = await service.publishEntries(
      pubsubName,
      topic,
      entries.map(({ entryId, event, contentType, metadata: own }) => ({
        entryId,
        event: Buffer.from(event),
        contentType: contentType || DEFAULT_CONTENT_TYPE,
        metadata: own,
      })),
      sharedFacts(metadata, context),
    );
    if (failedEntries.length > 0) context.values.set(SAID_ERROR, BULK_FAILED);
    // Those that failed are named; daprd answers with an error, and which they were is lost.
    return { failedEntries: [...failedEntries] } as Partial<BulkPublishResponse> as never;
  };
  return {
    async publishEvent({ data, dataContentType, metadata, pubsubName, topic }, context) {
      const facts = sharedFacts(metadata, context);
      await service.publish(pubsubName, topic, {
        ...facts,
        metadata: asksForRaw(metadata) ? { ...metadata, ...besideRaw(facts) } : metadata,
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
const besideRaw = ({ traceparent: traceid, tracestate }: SharedFacts) => ({ traceid, tracestate });

function sharedFacts(
  metadata: Readonly<Record<string, string>>,
  { values }: HandlerContext,
): SharedFacts {
  return { metadata, ...traceFacts(values.get(SPAN)) };
}
