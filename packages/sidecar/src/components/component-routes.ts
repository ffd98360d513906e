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

/** The APIs behind which there is a component; the others answer that there is none. */
export function componentRoutes(
  { bindings, pubsub, secrets, state }: Components,
  calls: ComponentCalls,
  appId: string,
  clock: Clock,
  limits: BodyLimits,
): readonly Route[] {
  const states = state.size === 0 ? [] : stateRoutes(new StateService(state, calls, appId), limits);
  const publishing = new PublishService(pubsub, calls, appId, clock);
  const topics = pubsub.size === 0 ? [] : publishRoutes(publishing, limits);
  const outputs = bindingRoutes(new BindingService(bindings.outputs, calls), limits);
  return [...states, ...topics, ...secretRoutes(secrets, calls), ...outputs];
}
