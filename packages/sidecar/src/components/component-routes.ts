import type { BodyLimits } from '../flow/request-body.ts';
import { secretRoutes } from '../secrets/secret-routes.ts';
import type { Route } from '../server/api-routes.ts';
import { stateRoutes } from '../state/state-routes.ts';
import { StateService } from '../state/state-service.ts';
import type { ComponentCalls } from './component-calls.ts';
import type { Components } from './open-components.ts';

/** The APIs behind which there is a component; the others answer that there is none. */
export function componentRoutes(
  { secrets, state }: Components,
  calls: ComponentCalls,
  appId: string,
  limits: BodyLimits,
): readonly Route[] {
  const states = state.size === 0 ? [] : stateRoutes(new StateService(state, calls, appId), limits);
  return [...states, ...secretRoutes(secrets, calls)];
}
