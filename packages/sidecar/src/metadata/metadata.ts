import type { ComponentRow } from '../components/open-components.ts';
import { goDuration } from '../go-json/go-duration.ts';
import type { CircuitRow } from '../policies/target-pipelines.ts';
import type { Refusal } from '../pubsub/outbox/refusals.ts';
import type { TopicSubscription } from '../pubsub/subscribe/subscription.ts';
import type { MetadataSnapshot } from './metadata-service.ts';

/** Dapr release whose API this sidecar follows. */
export const DAPR_VERSION = '1.18.0';

interface AppHealth {
  readonly path: string;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly threshold: number;
}

export interface MetadataSources {
  readonly appId: string;
  readonly app: {
    readonly port: number | undefined;
    readonly protocol: string;
    readonly address: string;
    readonly maxConcurrency: number;
    readonly health: AppHealth | undefined;
  };
  readonly components: readonly ComponentRow[];
  readonly subscriptions: readonly TopicSubscription[];
  readonly endpoints: readonly { readonly name: string }[];
  readonly resiliencies: readonly string[];
  /** Preview features that are switched on. */
  readonly features: readonly string[];
  readonly circuits: readonly CircuitRow[];
  readonly outboxes: readonly OutboxRow[];
}

/** The outbox of a component, and why it takes no events, where it does not. */
export interface OutboxRow {
  readonly component: string;
  readonly refusal: Refusal | undefined;
}

/** `GET /v1.0/metadata`: Dapr's fields in Dapr's shape, and `holdfast` beside them. */
export function metadataBody(sources: MetadataSnapshot): object {
  const { app, components, endpoints, resiliencies, subscriptions } = sources;
  const { health } = app;
  return {
    id: sources.appId,
    runtimeVersion: sources.version,
    enabledFeatures: sources.features,
    ...(components.length === 0 ? {} : { components: components.map(componentBody) }),
    ...(subscriptions.length === 0 ? {} : { subscriptions: subscriptions.map(subscriptionBody) }),
    extended: inOrder(sources.extended),
    ...(endpoints.length === 0 ? {} : { httpEndpoints: endpoints.map(({ name }) => ({ name })) }),
    appConnectionProperties: {
      ...(app.port === undefined ? {} : { port: app.port }),
      protocol: app.protocol,
      channelAddress: app.address,
      ...(app.maxConcurrency > 0 ? { maxConcurrency: app.maxConcurrency } : {}),
      ...(health === undefined ? {} : { health: healthProperties(health, app.protocol) }),
    },
    actorRuntime: {
      runtimeStatus: 'DISABLED',
      hostReady: false,
      placement: 'placement: disconnected',
    },
    ...(resiliencies.length === 0 ? {} : { resiliencies: resiliencies.map(named) }),
    holdfast: {
      circuits: sources.circuits.map(circuitBody),
      outboxes: sources.outboxes.map(outboxBody),
    },
  };
}

/** What it can do stands there where it can do anything, as in Dapr. */
function componentBody({ capabilities = [], name, type, version }: ComponentRow): object {
  return { name, type, version, ...(capabilities.length === 0 ? {} : { capabilities }) };
}

/** As Go writes a map. */
const inOrder = (map: Readonly<Record<string, string>>): object =>
  Object.fromEntries(Object.entries(map).sort(([a], [b]) => (a < b ? -1 : 1)));

const named = (name: string): object => (name === '' ? {} : { name });

/** How the application is probed, in Dapr's names and texts; over gRPC there is no path to it. */
export function healthProperties(health: AppHealth, protocol: string) {
  return {
    ...(protocol.startsWith('grpc') ? {} : { healthCheckPath: health.path }),
    healthProbeInterval: goDuration(health.intervalMs),
    healthProbeTimeout: goDuration(health.timeoutMs),
    healthThreshold: health.threshold,
  };
}

function subscriptionBody(one: TopicSubscription): object {
  const { deadLetterTopic, metadata, pubsub, rules, topic, type } = one;
  return {
    pubsubname: pubsub,
    topic,
    ...(Object.keys(metadata).length === 0 ? {} : { metadata: inOrder(metadata) }),
    rules: rules.map(({ match, path }) => ({
      ...(match === '' ? {} : { match }),
      ...(path === '' ? {} : { path }),
    })),
    deadLetterTopic,
    type,
  };
}

function outboxBody({ component, refusal }: OutboxRow): object {
  if (refusal === undefined) return { component, refusing: false };
  const { code, sinceWallMs, why } = refusal;
  return { component, refusing: true, code, why, since: new Date(sinceWallMs).toISOString() };
}

function circuitBody({ target, method, policy, ...circuit }: CircuitRow): object {
  return {
    target,
    method,
    policy,
    state: circuit.state,
    retryAfterMs: Math.ceil(circuit.retryAfterMs),
    opened: circuit.opened,
    why: circuit.why,
    counts: circuit.counts,
  };
}
