import { APP_HEALTH_DEFAULTS } from '../health/app-health.ts';
import { MetadataService } from '../metadata/metadata-service.ts';
import type { EventsToApp } from './events-to-app.ts';
import type { BuildingBlocks, BuildingBlocksOptions } from './open-building-blocks.ts';

/** What the sidecar says of itself, gathered whenever somebody asks. */
export function sidecarMetadata(
  given: BuildingBlocksOptions & BuildingBlocks & EventsToApp,
): MetadataService {
  const { components, endpoints, live, options, policies, subscriber } = given;
  const { appHealthCheck: health } = options;
  const { features } = live.first.configuration;
  return new MetadataService(() => ({
    appId: options.appId,
    app: {
      port: options.appPort,
      protocol: options.appProtocol,
      address: options.appChannelAddress,
      maxConcurrency: options.appMaxConcurrency,
      health: health === undefined ? undefined : { ...APP_HEALTH_DEFAULTS, ...health },
    },
    components: components.list,
    subscriptions: subscriber.subscriptions,
    endpoints: endpoints.now,
    resiliencies: policies.names(),
    features,
    circuits: policies.book.circuits(),
    outboxes: [...components.pubsub].flatMap(([component, { outbox }]) =>
      outbox === undefined ? [] : [{ component, refusal: outbox.refusal() }],
    ),
  }));
}
