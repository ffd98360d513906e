import type { Clock } from '@holdfast/core';
import { bindingRoutes } from '../bindings/binding-routes.ts';
import { BindingService } from '../bindings/binding-service.ts';
import type { BodyLimits } from '../flow/request-body.ts';
import { publishRoutes } from '../pubsub/publish-routes.ts';
import { PublishService } from '../pubsub/publish-service.ts';
import { secretRoutes } from '../secrets/secret-routes.ts';
import type { Route } from '../server/api-routes.ts';
import { stateRoutes } from '../state/state-routes.ts';
import { StateService } from '../state/state-service.ts';
import type { ComponentCalls } from './component-calls.ts';
import type { Components } from './open-components.ts';

/** Routes that are there while there is a component behind them; else the API answers that there is none. */
export function whileAny(
  components: ReadonlyMap<string, unknown>,
  routes: readonly Route[],
): readonly Route[] {
  return routes.map((route) => ({ ...route, there: () => components.size > 0 }));
}

/** The APIs of components. */
export function componentRoutes(
  {
    bindings,
    pubsub,
    secrets,
    state,
  }: Pick<Components, 'bindings' | 'pubsub' | 'secrets' | 'state'>,
  calls: ComponentCalls,
  appId: string,
  clock: Clock,
  limits: BodyLimits,
): readonly Route[] {
  const states = whileAny(state, stateRoutes(new StateService(state, calls, appId), limits));
  const publishing = new PublishService(pubsub, calls, appId, clock);
  const topics = whileAny(pubsub, publishRoutes(publishing, limits));
  const outputs = bindingRoutes(new BindingService(bindings.outputs, calls), limits);
  return [...states, ...topics, ...whileAny(secrets, secretRoutes(secrets, calls)), ...outputs];
}
