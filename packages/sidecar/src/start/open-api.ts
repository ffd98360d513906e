import os from 'node:os';
import { componentRoutes } from '../components/component-routes.ts';
import type { GrpcServer } from '../grpc/grpc-server.ts';
import { openGrpcDoor } from '../grpc/open-grpc-door.ts';
import { healthRoutes } from '../health/health-routes.ts';
import { InvokeApi } from '../invoke/invoke-api.ts';
import { createReplayBudget } from '../invoke/replay-budget.ts';
import { metadataRoutes } from '../metadata/metadata-routes.ts';
import { metricsPage } from '../metrics/metrics-page.ts';
import type { ApiLogging } from '../resources/api-logging.ts';
import { type Doors, openDoors } from '../server/doors/open-doors.ts';
import { type Shutdown, shutdownRoutes } from '../server/shutdown-routes.ts';
import { createTokenCheck } from '../server/token.ts';
import type { EventsToApp } from './events-to-app.ts';
import type { BuildingBlocks, BuildingBlocksOptions } from './open-building-blocks.ts';
import { sidecarMetadata } from './sidecar-metadata.ts';
import type { Unready } from './start-env.ts';

export interface ApiOptions extends BuildingBlocksOptions, BuildingBlocks, EventsToApp {
  readonly unready: Unready;
  readonly shutdown: Shutdown;
}

/** Where clients come in, over both protocols. */
export interface OpenApi extends Doors {
  readonly grpc: GrpcServer | undefined;
}

/** Opens the doors: what comes from here on is answered. */
export async function openApi(given: ApiOptions): Promise<OpenApi> {
  const { clock, closing, components, inForce, log, metrics, options } = given;
  const { pipelines, policies, services, shutdown, subscriber, tracing } = given;
  const limits = { maxBodyBytes: options.maxBodyBytes, stallMs: options.stallMs, clock };
  const invoking = invokingOf(given);
  const invoke = new InvokeApi({
    ...limits,
    ...invoking,
    replay: createReplayBudget(options.maxReplayBytes, options.maxReplayTotalBytes),
  });
  const metadata = sidecarMetadata(given);
  const allowed = createTokenCheck(options.apiToken);
  const apiRules = () => inForce.now.apiRules;
  const apiLogging = (): ApiLogging => {
    const { enableApiLogging: enabled } = options;
    return enabled === undefined ? inForce.now.apiLogging : { ...inForce.now.apiLogging, enabled };
  };
  const doors = await openDoors({
    options,
    closing,
    handling: { clock, log, tracing, metrics, allowed },
    apiLogging,
    publicRoutes: [...healthOf(given), ...metadataRoutes(metadata, limits)],
    ownRoutes: [...componentRoutes(components, services, limits), ...shutdownRoutes(shutdown)],
    invoke: (call) => invoke.handle(call),
    apiRules,
    middleware: () => pipelines.api,
    metricsPage: options.enableMetrics
      ? () => metricsPage(policies.book, components.pubsub, metrics)
      : undefined,
  });
  const streams = { brokers: components.pubsub, subscriber, tracing };
  const grpc = await openGrpcDoor(options, closing, () => ({
    ...{ ...limits, ...invoking, log, tracing },
    ...{ allowed, apiRules, apiLogging, services, metadata, streams, shutdown },
  }));
  return { ...doors, grpc };
}

/** What invocation needs, whatever the protocol. */
function invokingOf({ metrics, options, policies, upstreams }: ApiOptions) {
  const { apiToken, appId, hostAddress, namespace } = options;
  return {
    caller: { appId, namespace, hostAddress, hostName: os.hostname() },
    upstreams,
    book: policies.book,
    metrics,
    tokenRequired: apiToken !== undefined && apiToken !== '',
  };
}

const healthOf = ({ options, unready }: ApiOptions) =>
  healthRoutes({
    appId: options.appId,
    notReady: () => [...unready],
    notReadyOutbound: () => unready.has('http') || unready.has('stopping'),
  });
