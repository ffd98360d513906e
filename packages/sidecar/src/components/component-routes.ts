import { bindingRoutes } from '../bindings/binding-routes.ts';
import { configurationRoutes } from '../configuration/configuration-routes.ts';
import type { BodyLimits } from '../flow/request-body.ts';
import { lockRoutes } from '../lock/lock-routes.ts';
import { publishRoutes } from '../pubsub/publish/publish-routes.ts';
import { secretRoutes } from '../secrets/secret-routes.ts';
import type { Route } from '../server/api-routes.ts';
import { stateRoutes } from '../state/state-routes.ts';
import type { ComponentServices } from './component-services.ts';
import type { Components } from './open-components.ts';

/** Routes that are there while there is a component behind them; else the API answers that there is none. */
function whileAny(
  components: ReadonlyMap<string, unknown>,
  routes: readonly Route[],
): readonly Route[] {
  return routes.map((route) => ({ ...route, there: () => components.size > 0 }));
}

/** The APIs of components. */
export function componentRoutes(
  { configurations, pubsub, secrets, state }: Components,
  services: ComponentServices,
  limits: BodyLimits,
): readonly Route[] {
  return [
    ...whileAny(state, stateRoutes(services.state, limits)),
    ...whileAny(pubsub, publishRoutes(services.publishing, limits)),
    ...whileAny(secrets, secretRoutes(services.secrets)),
    ...bindingRoutes(services.bindings, limits),
    ...lockRoutes(services.locks, limits),
    ...whileAny(configurations, configurationRoutes(services.configurations)),
  ];
}
