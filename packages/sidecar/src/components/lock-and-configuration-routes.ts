import { configurationRoutes } from '../configuration/configuration-routes.ts';
import {
  ConfigurationService,
  type ConfigurationServiceOptions,
} from '../configuration/configuration-service.ts';
import type { BodyLimits } from '../flow/request-body.ts';
import { lockRoutes } from '../lock/lock-routes.ts';
import { LockService } from '../lock/lock-service.ts';
import type { Route } from '../server/api-routes.ts';
import type { ComponentCalls } from './component-calls.ts';
import { whileAny } from './component-routes.ts';
import type { Components } from './open-components.ts';

/** The APIs of locks and of configuration, where there is a component for them. */
export function lockAndConfigurationRoutes(
  { configurations, locks }: Components,
  calls: ComponentCalls,
  limits: BodyLimits,
  telling: Pick<ConfigurationServiceOptions, 'ask' | 'inbound'>,
): readonly Route[] {
  const locking = whileAny(locks, lockRoutes(new LockService(locks, calls), limits));
  const service = new ConfigurationService({ stores: configurations, calls, ...telling });
  return [...locking, ...whileAny(configurations, configurationRoutes(service))];
}
