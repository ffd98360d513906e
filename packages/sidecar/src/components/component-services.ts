import type { Pipeline } from '@holdfast/core';
import type { AskApp } from '../app/ask-app.ts';
import { BindingService } from '../bindings/binding-service.ts';
import { ConfigurationService } from '../configuration/configuration-service.ts';
import { LockService } from '../lock/lock-service.ts';
import { PublishService } from '../pubsub/publish/publish-service.ts';
import { SecretService } from '../secrets/secret-service.ts';
import { StateService } from '../state/state-service.ts';
import type { ComponentCalls } from './component-calls.ts';
import type { Components, ComponentsEnv } from './open-components.ts';

/** Dapr's building blocks, as both protocols of the API offer them. */
export interface ComponentServices {
  readonly state: StateService;
  readonly publishing: PublishService;
  readonly secrets: SecretService;
  readonly locks: LockService;
  readonly configurations: ConfigurationService;
  readonly bindings: BindingService;
}

export interface ComponentServicesEnv extends Pick<ComponentsEnv, 'appId' | 'clock'> {
  readonly calls: ComponentCalls;
  /** Tells the application of changed configuration; undefined where there is none. */
  readonly ask: AskApp | undefined;
  readonly secretAllowed: (store: string, key: string) => boolean;
  readonly inboundConfiguration: (store: string) => Pipeline | undefined;
}

export function componentServices(
  { bindings, configurations, locks, pubsub, secrets, state }: Components,
  { appId, ask, calls, clock, inboundConfiguration, secretAllowed }: ComponentServicesEnv,
): ComponentServices {
  return {
    state: new StateService(state, calls, appId),
    publishing: new PublishService(pubsub, calls, appId, clock),
    secrets: new SecretService(secrets, calls, secretAllowed),
    locks: new LockService(locks, calls),
    configurations: new ConfigurationService({
      stores: configurations,
      calls,
      ask,
      inbound: inboundConfiguration,
    }),
    bindings: new BindingService(bindings.outputs, calls),
  };
}
