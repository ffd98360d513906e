import type { ServiceImpl } from '@connectrpc/connect';
import { healthProperties } from '../../metadata/metadata.ts';
import type { MetadataService } from '../../metadata/metadata-service.ts';
import type { TopicSubscription } from '../../pubsub/subscribe/subscription.ts';
import type { Dapr } from '../protos/dapr_pb.ts';
import {
  ActorRuntime_ActorRuntimeStatus as ActorStatus,
  PubsubSubscriptionType as SubscriptionType,
} from '../protos/metadata_pb.ts';

/** The sidecar about itself, over gRPC. */
export function metadataRpcs(
  service: MetadataService,
): Pick<ServiceImpl<typeof Dapr>, 'getMetadata' | 'setMetadata'> {
  return {
    async getMetadata() {
      const { app, appId, components, endpoints, extended, features, subscriptions, version } =
        service.snapshot();
      const { health } = app;
      return {
        id: appId,
        runtimeVersion: version,
        enabledFeatures: [...features],
        registeredComponents: components.map(({ capabilities = [], name, type, version: of }) => ({
          name,
          type,
          version: of,
          capabilities: [...capabilities],
        })),
        extendedMetadata: { ...extended },
        subscriptions: subscriptions.map(subscriptionMessage),
        httpEndpoints: endpoints.map(({ name }) => ({ name })),
        appConnectionProperties: {
          port: app.port ?? 0,
          protocol: app.protocol,
          channelAddress: app.address,
          maxConcurrency: Math.max(0, app.maxConcurrency),
          ...(health === undefined ? {} : { health: healthProperties(health, app.protocol) }),
        },
        actorRuntime: {
          runtimeStatus: ActorStatus.DISABLED,
          placement: 'placement: disconnected',
        },
      };
    },
    async setMetadata({ key, value }) {
      service.set(key, value);
      return {};
    },
  };
}

const TYPES = {
  DECLARATIVE: SubscriptionType.DECLARATIVE,
  PROGRAMMATIC: SubscriptionType.PROGRAMMATIC,
  STREAMING: SubscriptionType.STREAMING,
} as const;

function subscriptionMessage(one: TopicSubscription) {
  const { deadLetterTopic, metadata, pubsub, rules, topic, type } = one;
  return {
    pubsubName: pubsub,
    topic,
    metadata: { ...metadata },
    deadLetterTopic,
    type: TYPES[type],
    rules: { rules: rules.map(({ match, path }) => ({ match, path })) },
  };
}
