import os from 'node:os';
import { type Clock, systemClock, systemRandom } from '@holdfast/core';
import { createLogger, type Logger } from '@holdfast/telemetry/log';
import { AccessGate } from './access/access-gate.ts';
import { isComponentDenied } from './access/denied-components.ts';
import { isSecretAllowed } from './access/secret-scopes.ts';
import { openAppChannel } from './app/app-channel.ts';
import { askApp } from './app/ask-app.ts';
import { welcomeApp } from './app/welcome-app.ts';
import { InputBindings } from './bindings/input-bindings.ts';
import { createClosing } from './closing.ts';
import { ComponentCalls } from './components/component-calls.ts';
import { componentRoutes } from './components/component-routes.ts';
import { componentServices } from './components/component-services.ts';
import { openComponents } from './components/open-components.ts';
import { ownVariables } from './components/own-variables.ts';
import { createEnding, type Ended, type StopOptions } from './ending.ts';
import { openGrpcDoor } from './grpc/open-grpc-door.ts';
import { APP_HEALTH_DEFAULTS, watchAppHealth } from './health/app-health.ts';
import { healthRoutes } from './health/health-routes.ts';
import { waitForApp } from './health/wait-for-app.ts';
import { InvokeApi } from './invoke/invoke-api.ts';
import { createReplayBudget } from './invoke/replay-budget.ts';
import { Upstreams } from './invoke/upstreams.ts';
import { type LingeringOptions, linger } from './lingering.ts';
import { metadataRoutes } from './metadata/metadata-routes.ts';
import { MetadataService } from './metadata/metadata-service.ts';
import { liveMetrics, NO_LIVE_METRICS } from './metrics/live-metrics.ts';
import { metricsPage } from './metrics/metrics-page.ts';
import { appPipeline } from './middleware/app-pipeline.ts';
import { LivePipelines } from './middleware/live-pipelines.ts';
import { AddressBook } from './names/address-book.ts';
import { openNames } from './names/open-names.ts';
import { resolveSidecarOptions, type SidecarOptions } from './options.ts';
import { Callee } from './peers/callee.ts';
import { openPeerLeg } from './peers/open-peer-leg.ts';
import { pluggedHere } from './pluggable/plugged-types.ts';
import { openPolicies } from './policies/live-policies.ts';
import { httpCourier } from './pubsub/deliver/http-courier.ts';
import { httpSubscriptions } from './pubsub/subscribe/http-subscriptions.ts';
import { Subscriber } from './pubsub/subscribe/subscriber.ts';
import type { ApiLogging } from './resources/api-logging.ts';
import { applyConfiguration } from './resources/apply-configuration.ts';
import { openResources } from './resources/live-resources.ts';
import { openEndpoints } from './resources/open-endpoints.ts';
import { openDoors } from './server/doors/open-doors.ts';
import { openSockets } from './server/doors/socket-paths.ts';
import { warnOfOpenApi } from './server/doors/warn-of-open-api.ts';
import { shutdownByApi, shutdownRoutes } from './server/shutdown-routes.ts';
import { createTokenCheck } from './server/token.ts';
import { openTracing } from './trace/open-tracing.ts';

/** A running sidecar. */
export interface Sidecar {
  readonly ports: {
    /** 0 where the API is on Unix sockets. */
    readonly http: number;
    readonly internal: number;
    readonly grpc?: number;
    readonly metrics?: number;
  };
  /** Where the API listens in place of ports, where it does. */
  readonly sockets?: { readonly http: string; readonly grpc?: string };
  /** Reads the files again, now, as it does by itself when they change. A broken file changes nothing and is logged. */
  reload(): Promise<void>;
  /** Ends it: calls in flight get `gracefulShutdownMs`, none with `force`. Leaves nothing behind. */
  stop(options?: StopOptions): Promise<void>;
  /** Resolves when it has stopped, by `stop` or by `POST /v1.0/shutdown`. */
  readonly ended: Promise<Ended>;
}

/** What the sidecar takes from its surroundings. */
export interface SidecarEnv {
  /** @default systemClock */
  readonly clock?: Clock;
  /** @default lines on stderr are the caller's to ask for: nothing is logged */
  readonly log?: Logger;
  /** For `$VAR` in Configuration files and `envRef` in resources. @default none */
  readonly variables?: Readonly<Record<string, string | undefined>>;
}

/**
 * Starts a sidecar. It is ready to answer when the promise resolves; when it
 * rejects, nothing was left running.
 *
 * @throws RangeError for an option that cannot be, PortTakenError for a port that is another's.
 */
export async function startSidecar(given: SidecarOptions, env: SidecarEnv = {}): Promise<Sidecar> {
  const options = resolveSidecarOptions(given);
  const clock = env.clock ?? systemClock;
  const log = env.log ?? createLogger({ write: () => {} });
  const closing = createClosing();
  try {
    return await start(options, clock, log, env.variables ?? {}, closing);
  } catch (error) {
    await closing.now();
    throw error;
  }
}

async function start(
  options: ReturnType<typeof resolveSidecarOptions>,
  clock: Clock,
  log: Logger,
  variables: Readonly<Record<string, string | undefined>>,
  closing: ReturnType<typeof createClosing>,
): Promise<Sidecar> {
  const { appId, givenNamespace, namespace, hostAddress, maxBodyBytes, stallMs } = options;
  const live = await openResources({ ...options, variables, clock, log });
  closing.last(() => live.close());
  const resources = live.first;
  const { configuration } = resources;
  let inForce = configuration;
  const limits = { maxBodyBytes, stallMs, clock };
  for (const keys of configuration.ignored) log.warn(`${keys}: without effect in this version.`);
  for (const warning of configuration.warnings) log.warn(warning);
  const metrics = options.enableMetrics
    ? liveMetrics(appId, givenNamespace, configuration.metrics, log)
    : NO_LIVE_METRICS;
  const tracing = await openTracing(configuration, { appId, variables, clock, log });
  closing.last(() => tracing.close());

  const app = await openAppChannel({
    port: options.appPort,
    address: options.appChannelAddress,
    protocol: options.appProtocol,
    maxBodyBytes,
    maxConcurrency: options.appMaxConcurrency,
    token: options.appApiToken,
    clock,
    called: metrics.called,
    calledRpc: metrics.calledRpc,
  });
  closing.last(() => app.close());

  const access = new AccessGate(configuration.accessControl, metrics.access);
  const callee = new Callee({ appId, app, tracing, counts: metrics, access });
  const leg = await openPeerLeg({ options, callee, metrics, clock, log, closing });
  const { peers, peerServer } = leg;

  const names = options.names ?? (await openNames(configuration.nameResolution, { clock, log }));
  closing.last(() => names.close());

  const upstreams = new Upstreams({
    appId,
    namespace,
    app,
    peers,
    addresses: new AddressBook(names, clock, systemRandom),
    clock,
  });
  closing.last(() => upstreams.close());

  const policies = await openPolicies({ ...options, watched: live.watched, clock, log, metrics });
  closing.last(() => policies.close());
  warnOfOpenApi(options, log);

  const components = await openComponents(resources.components, {
    appId,
    givenNamespace,
    namespace,
    clock,
    log,
    variables: { ...variables, ...ownVariables(options) },
    up: metrics.componentUp,
    failed: metrics.componentFailed,
    plugged: await pluggedHere(variables, log),
    stateDir: options.stateDir,
    graceMs: options.gracefulShutdownMs,
    outbound: (pubsub) => policies.book.forComponent(pubsub, 'Pubsub', 'outbound'),
    denied: (spec) => isComponentDenied(inForce.deniedComponents, spec),
  });
  closing.last(() => components.close());
  const values = { secrets: components.secrets, variables };
  let endpoints = await openEndpoints(resources.endpoints, [], values, log);
  upstreams.endpoints = endpoints;
  const pipelines = new LivePipelines(
    () => components.middleware,
    configuration,
    (message) => log.warn(message),
  );
  app.through((upstream) => appPipeline(() => pipelines.app, upstream));
  upstreams.through((upstream) => appPipeline(() => pipelines.app, upstream));
  const componentCalls = new ComponentCalls(policies.book, metrics, clock);

  const services = componentServices(components, {
    ...{ appId, namespace, clock, log },
    calls: componentCalls,
    ask: options.appPort === undefined ? undefined : askApp(app.questions),
    secretAllowed: (store, key) => isSecretAllowed(inForce.secretScopes, store, key),
    inboundConfiguration: (store) => policies.book.forComponent(store, 'Configuration', 'inbound'),
  });
  closing.last(() => services.outboxRelay.close());
  await services.outboxRelay.follow();

  const subscriber = new Subscriber({
    appId,
    courier: httpCourier(askApp(app.questions)),
    ask: httpSubscriptions(askApp(app.questions), options, log),
    brokers: components.pubsub,
    declared: resources.subscriptions,
    inbound: (pubsub) => policies.book.forComponent(pubsub, 'Pubsub', 'inbound'),
    count: metrics.delivered,
    countBulk: metrics.deliveredBulk,
    clock,
    log,
  });

  const inputs = new InputBindings({
    inputs: components.bindings.inputs,
    ask: askApp(app.questions),
    overGrpc: options.appProtocol.startsWith('grpc'),
    put: (binding, data) =>
      services.bindings.invoke(binding, { operation: 'create', data, metadata: {}, trace: [] }),
    ready: () => app.healthy,
    inbound: (name) => policies.book.forComponent(name, 'Binding', 'inbound'),
    count: metrics.bound,
    tracing,
    clock,
    log,
  });

  const invoking = {
    caller: { appId, namespace, hostAddress, hostName: os.hostname() },
    upstreams,
    book: policies.book,
    metrics,
    tokenRequired: options.apiToken !== undefined && options.apiToken !== '',
  };
  const invoke = new InvokeApi({
    ...limits,
    ...invoking,
    replay: createReplayBudget(options.maxReplayBytes, options.maxReplayTotalBytes),
  });

  const waiting = new Set(options.appPort === undefined ? ['http'] : ['http', 'runtime']);
  const health = options.appHealthCheck;
  const metadata = new MetadataService(() => ({
    appId,
    app: {
      port: options.appPort,
      protocol: options.appProtocol,
      address: options.appChannelAddress,
      maxConcurrency: options.appMaxConcurrency,
      health: health === undefined ? undefined : { ...APP_HEALTH_DEFAULTS, ...health },
    },
    components: components.list,
    subscriptions: subscriber.subscriptions,
    endpoints,
    resiliencies: policies.names(),
    features: configuration.features,
    circuits: policies.book.circuits(),
  }));
  const publicRoutes = [
    ...healthRoutes({
      appId,
      notReady: () => [...waiting],
      notReadyOutbound: () => waiting.has('http') || waiting.has('stopping'),
    }),
    ...metadataRoutes(metadata, limits),
  ];
  const apiRules = () => inForce.apiRules;
  const apiLogging = (): ApiLogging => {
    const { enableApiLogging: enabled } = options;
    return enabled === undefined ? inForce.apiLogging : { ...inForce.apiLogging, enabled };
  };
  const allowed = createTokenCheck(options.apiToken);
  // Asked to end while it is starting, it ends as soon as it has started.
  const started = Promise.withResolvers<Sidecar['stop']>();
  const shutdown = shutdownByApi(started.promise, { clock, log });
  const { api, metricsPort } = await openDoors({
    options,
    closing,
    handling: { clock, log, tracing, metrics, allowed },
    apiLogging,
    publicRoutes,
    ownRoutes: [...componentRoutes(components, services, limits), ...shutdownRoutes(shutdown)],
    invoke: (call) => invoke.handle(call),
    apiRules,
    middleware: () => pipelines.api,
    metricsPage: options.enableMetrics
      ? () => metricsPage(policies.book, components.pubsub, metrics)
      : undefined,
  });

  const grpc = await openGrpcDoor(options, closing, () => ({
    ...limits,
    ...invoking,
    log,
    tracing,
    allowed,
    apiRules,
    apiLogging,
    services,
    metadata,
    streams: { brokers: components.pubsub, subscriber },
    shutdown,
  }));

  const ask = askApp(app.questions);
  const welcome = welcomeApp({ options, ask, begin: [subscriber, inputs], clock, log });
  const watchHealth = (): void => {
    if (health === undefined) return;
    const changed = (healthy: boolean): void => {
      app.healthy = healthy;
      if (healthy) void welcome();
      log.info(healthy ? 'The application is healthy.' : 'The application is not healthy.');
    };
    const probed = options.appProtocol.startsWith('grpc') ? undefined : metrics.probed;
    const probes = watchAppHealth(app.probe, health, clock, changed, probed);
    closing.last(() => probes.close());
  };
  // Until a probe has said so.
  if (health !== undefined && options.appPort !== undefined) app.healthy = false;

  await names.register({ appId, namespace, host: leg.host, port: peerServer.port });
  waiting.delete('http');
  if (options.appPort === undefined) subscriber.nobody();
  else {
    const { appChannelAddress: host, appPort: port } = options;
    const watching = waitForApp({ host, port }, clock, () => {
      // Not before: an application whose health is watched, and that is asked once it is healthy,
      // would wait for a second probe.
      watchHealth();
      const subscribed = health === undefined ? welcome() : Promise.resolve();
      // Ready is who has subscribed: what is published from then on arrives.
      void subscribed.finally(() => waiting.delete('runtime'));
    });
    closing.last(() => watching.close());
  }
  live.follow(async (next, before) => {
    inForce = next.configuration;
    const appliedTo = { tracing, access, metrics, log };
    await applyConfiguration(next.configuration, before.configuration, appliedTo);
    const endThoseThatLeft = await components.replace(next.components);
    // After them: their secrets may be those of a store that has just come.
    endpoints = await openEndpoints(next.endpoints, endpoints, values, log);
    upstreams.endpoints = endpoints;
    pipelines.follow(next.configuration);
    await subscriber.declare(next.subscriptions);
    await services.outboxRelay.follow();
    endThoseThatLeft();
    await inputs.follow();
    log.info('The resources were read anew.');
  });
  const ports = {
    http: api.port,
    internal: peerServer.port,
    ...(grpc === undefined ? {} : { grpc: grpc.port }),
    ...(metricsPort === undefined ? {} : { metrics: metricsPort }),
  };
  const sockets = openSockets(options, grpc !== undefined);
  log.info(`holdfast sidecar of ${appId} is up.`, { ...ports, ...sockets });

  const lingering: LingeringOptions = {
    ms: options.blockShutdownMs,
    unhealthy: () => app.whenUnhealthy(),
    begun() {
      waiting.add('lingering');
      subscriber.rest();
      inputs.rest();
    },
    clock,
    log,
  };
  const { stop, ended } = createEnding({
    graceMs: options.gracefulShutdownMs,
    clock,
    linger: (signal) => linger(lingering, signal),
    begin: () => void waiting.add('stopping'),
    late: () => log.error('Graceful shutdown timeout exceeded, forcing shutdown'),
    async leave() {
      await names.close();
      subscriber.hurry();
    },
    async drain() {
      await Promise.all([api.drain(), grpc?.drain(), peerServer.drain()]);
      await components.drain();
    },
    async close() {
      // By force it was not asked to leave: what waits for company goes now, and leaves no timer of an hour.
      subscriber.hurry();
      await closing.now();
      log.info(`holdfast sidecar of ${appId} has stopped.`);
    },
  });
  started.resolve(stop);

  return {
    ports,
    ...(sockets === undefined ? {} : { sockets }),
    async reload() {
      await live.reload();
      await policies.reload();
      await leg.reload();
    },
    stop,
    ended,
  };
}
