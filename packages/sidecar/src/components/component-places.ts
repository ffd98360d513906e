import type { OutputBinding } from '../bindings/binding.ts';
import type { OpenInput } from '../bindings/input-bindings.ts';
import type { ConfigurationStore } from '../configuration/configuration-store.ts';
import type { LockStore } from '../lock/lock-store.ts';
import type { OpenMiddleware } from '../middleware/open-pipeline.ts';
import type { OutboxPubSub } from '../pubsub/outbox/outbox-pubsub.ts';
import type { TopicScopes } from '../pubsub/publish/topic-scopes.ts';
import type { PubSub } from '../pubsub/pubsub.ts';
import type { SecretStore } from '../secrets/secret-store.ts';
import type { StateOutboxSettings } from '../state/outbox/state-outbox-settings.ts';
import type { StateStore } from '../state/state-store.ts';

/** A state store as the API needs it. */
export interface OpenStateStore {
  readonly store: StateStore;
  /** Stands before each of its keys, its separator at its end; empty: nothing does. */
  readonly keyPrefix: string;
  /** Where its transactions are told; absent: nowhere. */
  readonly outbox?: StateOutboxSettings | undefined;
}

/** A broker, and what this application may do with its topics. */
export interface OpenPubSub {
  readonly broker: PubSub;
  readonly scopes: TopicScopes;
  /** The broker again, where publications are kept on disk until it has them. */
  readonly outbox?: OutboxPubSub;
}

/** Where locks are. */
export interface OpenLockStore {
  readonly store: LockStore;
  /** As that of a state store, before the names of locks. */
  readonly keyPrefix: string;
}

/** Where the APIs find the components that are up, by name. */
export interface ComponentPlaces {
  readonly state: Map<string, OpenStateStore>;
  readonly secrets: Map<string, SecretStore>;
  readonly pubsub: Map<string, OpenPubSub>;
  readonly locks: Map<string, OpenLockStore>;
  readonly configurations: Map<string, ConfigurationStore>;
  readonly outputs: Map<string, OutputBinding>;
  readonly inputs: Map<string, OpenInput>;
  readonly middleware: Map<string, OpenMiddleware>;
}

export const noComponents = (): ComponentPlaces => ({
  state: new Map(),
  secrets: new Map(),
  pubsub: new Map(),
  locks: new Map(),
  configurations: new Map(),
  outputs: new Map(),
  inputs: new Map(),
  middleware: new Map(),
});
