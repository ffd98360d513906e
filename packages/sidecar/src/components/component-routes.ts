import { bindingRoutes } from '../bindings/binding-routes.ts';
import { configurationRoutes } from '../configuration/configuration-routes.ts';
import type { BodyLimits } from '../flow/request-body.ts';
import { lockRoutes } from '../lock/lock-routes.ts';
import { publishRoutes } from '../pubsub/publish-routes.ts';
import { secretRoutes } from '../secrets/secret-routes.ts';
import type { Route } from '../server/api-routes.ts';
import { stateRoutes } from '../state/state-routes.ts';
import type { ComponentServices } from './component-services.ts';
import type { Components } from './open-components.ts';

/** The APIs behind which there is a component; the others answer that there is none. */
export function componentRoutes(
  { configurations, locks, pubsub, secrets, state }: Components,
  services: ComponentServices,
  limits: BodyLimits,
): readonly Route[] {
  return [
    ...(state.size === 0 ? [] : stateRoutes(services.state, limits)),
    ...(pubsub.size === 0 ? [] : publishRoutes(services.publishing, limits)),
    ...(secrets.size === 0 ? [] : secretRoutes(services.secrets)),
    ...bindingRoutes(services.bindings, limits),
    ...(locks.size === 0 ? [] : lockRoutes(services.locks, limits)),
    ...(configurations.size === 0 ? [] : configurationRoutes(services.configurations)),
  ];
}
