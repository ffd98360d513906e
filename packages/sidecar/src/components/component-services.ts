import type { Pipeline } from '@holdfast/core';
import type { AskApp } from '../app/ask-app.ts';
import { BindingService } from '../bindings/binding-service.ts';
import { ConfigurationService } from '../configuration/configuration-service.ts';
import { LockService } from '../lock/lock-service.ts';
import { PublishService } from '../pubsub/publish/publish-service.ts';
import { SecretService } from '../secrets/secret-service.ts';
import { OutboxRelay } from '../state/outbox/outbox-relay.ts';
import { StateOutbox } from '../state/outbox/state-outbox.ts';
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
  /** Passes on what transactions tell; to be told when components come and go. */
  readonly outboxRelay: OutboxRelay;
}

export interface ComponentServicesEnv
  extends Pick<ComponentsEnv, 'appId' | 'clock' | 'log' | 'namespace'> {
  readonly calls: ComponentCalls;
  /** Tells the application of changed configuration; undefined where there is none. */
  readonly ask: AskApp | undefined;
  readonly secretAllowed: (store: string, key: string) => boolean;
  readonly inboundConfiguration: (store: string) => Pipeline | undefined;
}

export function componentServices(
  { bindings, configurations, locks, pubsub, secrets, state }: Components,
  env: ComponentServicesEnv,
): ComponentServices {
  const { appId, ask, calls, clock, inboundConfiguration, secretAllowed } = env;
  const publishing = new PublishService(pubsub, calls, appId, clock);
  const outbox = new StateOutbox({ ...env, publishing });
  return {
    state: new StateService(state, calls, appId, outbox),
    publishing,
    secrets: new SecretService(secrets, calls, secretAllowed),
    locks: new LockService(locks, calls),
    configurations: new ConfigurationService({
      stores: configurations,
      calls,
      ask,
      inbound: inboundConfiguration,
    }),
    bindings: new BindingService(bindings.outputs, calls),
    outboxRelay: new OutboxRelay({ ...env, state, brokers: pubsub, publishing }),
  };
}
