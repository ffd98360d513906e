import type { Direction, TargetPolicies } from '@holdfast/config';
import type { CircuitState, Listener } from '@holdfast/core';
import {
  componentMetrics,
  createMetrics,
  errorCodeMetrics,
  type GrpcClientMetrics,
  grpcClientMetrics,
  grpcServerMetrics,
  httpServerMetrics,
  type InvocationType,
  mtlsMetrics,
  policyMetrics,
  processMetrics,
  type ResiliencyMetrics,
  resiliencyMetrics,
  runtimeMetrics,
  serviceInvocationMetrics,
} from '@holdfast/telemetry';
import type { CountAccess } from '../access/access-gate.ts';
import type { ComponentKind } from '../components/component-calls.ts';
import { withoutCredentials } from '../flow/headers/without-credentials.ts';
import type { CountDelivery, DeliveryStatus } from '../pubsub/deliver/delivery.ts';
import { METRICS_SETTINGS, type MetricsSettings } from '../resources/metrics-settings.ts';
import { accessMetrics } from './access-metrics.ts';
import { countedRoute } from './counted-route.ts';
import { type CountOutbox, outboxMetrics } from './outbox-metrics.ts';
import { relabelBy } from './relabel.ts';

/** What the callee's side counts about those who call it. */
export interface PeerCounts {
  received(callerAppId: string): void;
  answered(callerAppId: string, status: number): void;
}

/** An exchange that has ended: bytes of the request's and the answer's body, in either direction. */
export type CountExchange = (
  method: string,
  path: string,
  status: number,
  ms: number,
  requestBytes: number,
  answerBytes: number,
) => void;

/** Bytes of one message either way. */
export interface RpcBytes {
  readonly received: number;
  readonly sent: number;
}

/** A gRPC call that has ended; `status` by Go's name. */
export type CountRpc = (method: string, status: string, ms: number, bytes: RpcBytes) => void;

/** Everything the sidecar counts. */
export interface SidecarMetrics extends PeerCounts {
  /** An API request has been answered. */
  readonly served: CountExchange;
  /** A call of the gRPC API has ended; `status` by Go's name: `OK`, `NotFound`. A stream has no bytes. */
  servedRpc(method: string, status: string, ms: number, bytes?: RpcBytes): void;
  /** A gRPC callback of the application has ended. */
  readonly calledRpc: CountRpc;
  /** The API has answered with an error of that code; `reason` is that of its details. */
  errored(code: string, reason: string | undefined): void;
  /** A component of that type is up. */
  componentUp(type: string): void;
  /** A component is not: its type is not here (`creation`), or it could not begin (`init`). */
  componentFailed(type: string, name: string, reason: 'creation' | 'init'): void;
  /** A probe of the application's health over HTTP has ended; 500 where there was no answer. */
  probed(status: number, ms: number): void;
  /** The application has answered one of our calls. */
  readonly called: CountExchange;
  sent(appId: string, type: InvocationType): void;
  returned(appId: string, type: InvocationType, status: number, ms: number): void;
  /** A request meets the policies of an app. */
  applied(appId: string, policies: TargetPolicies, circuit: CircuitState | undefined): void;
  /** A call of a component, or an event of it, meets its policies; `label`: `Statestore_orders`. */
  appliedComponent(label: string, direction: Direction, policies: TargetPolicies): void;
  listener(appId: string): Listener | undefined;
  /** `label`: `Statestore_orders`. */
  componentListener(label: string, direction: Direction): Listener | undefined;
  /** An event was handed to the application, or ended without it. */
  readonly delivered: CountDelivery;
  /** Events were handed to the application together: how many ended how. */
  deliveredBulk(
    pubsub: string,
    topic: string,
    entries: Readonly<Record<DeliveryStatus, number>>,
    ms: number,
  ): void;
  /** A component has been asked. */
  component(
    kind: ComponentKind,
    name: string,
    operation: string,
    success: boolean,
    ms: number,
  ): void;
  /** An event of an input binding was handed to the application. */
  bound(name: string, success: boolean, ms: number): void;
  /** How the outbox of a broker is now. */
  readonly outbox: CountOutbox;
  forgotten(appId: string, pipeline: string): void;
  /** These Resiliency documents are in force from now on; policies are counted under the name of the last, as in Dapr. */
  loaded(documents: readonly { readonly name: string; readonly namespace: string }[]): void;
  /** The certificate shown to other sidecars is good until then. */
  certificate(notAfterMs: number): void;
  certificateReloaded(outcome: 'good' | 'bad'): void;
  /** Access control has let a call of another app in, or not. */
  readonly access: CountAccess;
  /** A connection of another sidecar was not let in. */
  peerRefused(): void;
  /** What a scrape gets. */
  render(): string;
}

export function sidecarMetrics(
  appId: string,
  namespace: string,
  settings: MetricsSettings = METRICS_SETTINGS,
): SidecarMetrics {
  const { byPath, latencyBucketsMs, rules } = settings;
  const metrics = createMetrics({
    ...(latencyBucketsMs && { latencyBucketsMs }),
    ...(rules.length > 0 && { relabel: relabelBy(rules) }),
  });
  const errorCodes = settings.errorCodes ? errorCodeMetrics(metrics, { appId }) : undefined;
  const http = httpServerMetrics(metrics, { appId, responses: byPath });
  const counted = countedRoute(settings);
  const grpc = grpcServerMetrics(metrics, { appId });
  const invocation = serviceInvocationMetrics(metrics, { appId });
  const heard = policyMetrics(metrics);
  const mtls = mtlsMetrics(metrics, { appId });
  processMetrics(metrics);
  // Registered, so that their names are there before the first component is.
  const components = componentMetrics(metrics, { appId, namespace });
  // Only of applications that speak gRPC.
  let callbacks: GrpcClientMetrics | undefined;
  let resiliency: ResiliencyMetrics | undefined;
  let outboxes: CountOutbox | undefined;
  const listenerOf = (target: string, direction: Direction): Listener => {
    const dapr = resiliency?.listener(direction, target);
    return (event) => {
      heard(event);
      dapr?.(event);
    };
  };

  const runtime = runtimeMetrics(metrics, { appId });
  return {
    componentUp: (type) => runtime.componentUp(type),
    componentFailed: (type, name, reason) => runtime.componentFailed(type, name, reason),
    probed: (status, ms) => runtime.probed(status, ms),
    errored: (code, reason) => errorCodes?.count(code, reason),
    served(method, path, status, ms, requestBytes, answerBytes) {
      const [verb, route] = counted(method, path);
      http.server(verb, route).done(status, ms, requestBytes, answerBytes);
    },
    called(method, path, status, ms, requestBytes, answerBytes) {
      const [verb, route] = counted(method, path);
      http.client(verb, route).done(status, ms, requestBytes, answerBytes);
    },
    servedRpc: (method, status, ms, bytes) => grpc.done(method, status, ms, bytes),
    calledRpc: (method, status, ms, bytes) => {
      if (method === HEALTH_CHECK) return runtime.probedRpc(status, ms);
      callbacks ??= grpcClientMetrics(metrics, { appId });
      callbacks.done(method, status, ms, bytes);
    },
    received: (caller) => invocation.caller(caller).requestReceived(),
    answered: (caller, status) => invocation.caller(caller).responseSent(status),
    sent: (app, type) => invocation.callee(app).requestSent(type),
    returned: (app, type, status, ms) => invocation.callee(app).responseReceived(status, type, ms),
    applied: (app, policies, circuit) =>
      resiliency?.applied(kindsIn(policies), 'outbound', `app_${withoutCredentials(app)}`, circuit),
    appliedComponent: (label, direction, policies) =>
      resiliency?.applied(kindsIn(policies), direction, label),
    listener: (app) => listenerOf(`app_${app}`, 'outbound'),
    componentListener: listenerOf,
    delivered: components.delivered,
    deliveredBulk: (pubsub, topic, entries, ms) =>
      components.deliveredBulk(pubsub, topic, entries, ms),
    component(kind, name, operation, success, ms) {
      // Dapr counts no locks.
      if (kind !== 'lock') components[kind](name, operation, success, ms);
    },
    bound: (name, success, ms) => components.bound(name, success, ms),
    outbox: (...given) => {
      outboxes ??= outboxMetrics(metrics);
      outboxes(...given);
    },
    forgotten: (app, pipeline) => resiliency?.forget('outbound', `app_${app}`, pipeline),
    loaded(documents) {
      const last = documents.at(-1);
      if (last === undefined) return;
      // Registered once: the families' labels are those of the documents loaded first.
      resiliency ??= resiliencyMetrics(metrics, { appId, ...last });
      for (const document of documents) resiliency.loaded(document);
    },
    certificate: mtls.inUse,
    certificateReloaded: mtls.reloaded,
    peerRefused: mtls.refused,
    access: accessMetrics(metrics),
    render: () => metrics.render(),
  };
}

/** Apart from the application's other callbacks, as in Dapr. */
const HEALTH_CHECK = '/dapr.proto.runtime.v1.AppCallbackHealthCheck/HealthCheck';

const kindsIn = ({ timeoutMs, retry, circuitBreaker }: TargetPolicies) => ({
  timeout: timeoutMs !== undefined,
  retry: retry !== undefined,
  circuitBreaker: circuitBreaker !== undefined,
});

/** For `--enable-metrics=false`: counts nothing, costs nothing. */
export const NO_METRICS: SidecarMetrics = {
  served() {},
  servedRpc() {},
  calledRpc() {},
  errored() {},
  componentUp() {},
  componentFailed() {},
  probed() {},
  called() {},
  received() {},
  answered() {},
  sent() {},
  returned() {},
  applied() {},
  appliedComponent() {},
  listener: () => undefined,
  componentListener: () => undefined,
  delivered() {},
  deliveredBulk() {},
  component() {},
  bound() {},
  outbox() {},
  forgotten() {},
  loaded() {},
  certificate() {},
  certificateReloaded() {},
  access() {},
  peerRefused() {},
  render: () => '',
};
