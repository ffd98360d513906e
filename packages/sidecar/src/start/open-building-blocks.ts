import { isComponentDenied } from '../access/denied-components.ts';
import { isSecretAllowed } from '../access/secret-scopes.ts';
import { askApp } from '../app/ask-app.ts';
import { ComponentCalls } from '../components/component-calls.ts';
import { type ComponentServices, componentServices } from '../components/component-services.ts';
import { type Components, openComponents } from '../components/open-components.ts';
import { ownVariables } from '../components/own-variables.ts';
import { appPipeline } from '../middleware/app-pipeline.ts';
import { LivePipelines } from '../middleware/live-pipelines.ts';
import { pluggedHere } from '../pluggable/plugged-types.ts';
import type { LivePolicies } from '../policies/live-policies.ts';
import { LiveEndpoints } from '../resources/live-endpoints.ts';
import type { Configured } from './open-configured.ts';
import type { Ways } from './open-ways.ts';
import type { StartEnv } from './start-env.ts';

/** What the resources make of a sidecar: Dapr's building blocks, addresses outside, middleware. */
export interface BuildingBlocks {
  readonly components: Components;
  readonly services: ComponentServices;
  readonly endpoints: LiveEndpoints;
  readonly pipelines: LivePipelines;
}

export interface BuildingBlocksOptions extends StartEnv, Configured, Ways {
  readonly policies: LivePolicies;
}

/** @throws ComponentError for a component that cannot be used. */
export async function openBuildingBlocks(given: BuildingBlocksOptions): Promise<BuildingBlocks> {
  const { app, closing, inForce, live, log, upstreams, variables } = given;
  const resources = live.first;
  const components = await openAllComponents(given);
  closing.last(() => components.close());

  const endpoints = new LiveEndpoints({
    values: { secrets: components.secrets, variables },
    inForce: (now) => {
      upstreams.endpoints = now;
    },
    log,
  });
  await endpoints.follow(resources.endpoints);
  const pipelines = new LivePipelines(
    () => components.middleware,
    inForce.now,
    (message) => log.warn(message),
  );
  app.through((upstream) => appPipeline(() => pipelines.app, upstream));
  upstreams.through((upstream) => appPipeline(() => pipelines.app, upstream));

  const services = servicesOf(components, given);
  closing.last(() => services.outboxRelay.close());
  await services.outboxRelay.follow();
  return { components, services, endpoints, pipelines };
}

async function openAllComponents(given: BuildingBlocksOptions): Promise<Components> {
  const { clock, inForce, live, log, metrics, options, policies, variables } = given;
  return openComponents(live.first.components, {
    appId: options.appId,
    givenNamespace: options.givenNamespace,
    namespace: options.namespace,
    clock,
    log,
    variables: { ...variables, ...ownVariables(options) },
    up: metrics.componentUp,
    failed: metrics.componentFailed,
    plugged: await pluggedHere(variables, log),
    stateDir: options.stateDir,
    graceMs: options.gracefulShutdownMs,
    outbound: (pubsub) => policies.book.forComponent(pubsub, 'Pubsub', 'outbound'),
    denied: (spec) => isComponentDenied(inForce.now.deniedComponents, spec),
  });
}

function servicesOf(components: Components, given: BuildingBlocksOptions): ComponentServices {
  const { app, clock, inForce, log, metrics, options, policies } = given;
  const { appId, appPort, namespace } = options;
  return componentServices(components, {
    ...{ appId, namespace, clock, log },
    calls: new ComponentCalls(policies.book, metrics, clock),
    ask: appPort === undefined ? undefined : askApp(app.questions),
    secretAllowed: (store, key) => isSecretAllowed(inForce.now.secretScopes, store, key),
    inboundConfiguration: (store) => policies.book.forComponent(store, 'Configuration', 'inbound'),
  });
}
