import type { Clock, Pipeline } from '@holdfast/core';
import type { Logger } from '@holdfast/telemetry/log';
import { goes, type OutputBinding } from '../bindings/binding.ts';
import type { OpenInput } from '../bindings/input-bindings.ts';
import type { ConfigurationStore } from '../configuration/configuration-store.ts';
import type { LockStore } from '../lock/lock-store.ts';
import type { OpenMiddleware } from '../middleware/open-pipeline.ts';
import { openPubSub } from '../pubsub/open-pubsub.ts';
import type { OutboxPubSub } from '../pubsub/outbox-pubsub.ts';
import type { PubSub } from '../pubsub/pubsub.ts';
import { type TopicScopes, topicScopes } from '../pubsub/topic-scopes.ts';
import type { SecretStore } from '../secrets/secret-store.ts';
import type { StateStore } from '../state/state-store.ts';
import { ComponentSettings } from './component-settings.ts';
import type { ComponentSpec } from './component-spec.ts';
import {
  CONFIGURATIONS,
  INPUTS,
  LOCKS,
  MIDDLEWARE,
  OUTPUTS,
  PUBSUB,
  SECRETS,
  STATE,
} from './component-types.ts';

/** A state store as the API needs it: with the prefix of its keys. */
export interface OpenStateStore {
  readonly store: StateStore;
  readonly keyPrefix: string;
}

/** A broker, and what this application may do with its topics. */
export interface OpenPubSub {
  readonly broker: PubSub;
  readonly scopes: TopicScopes;
  /** The broker again, where publications are kept on disk until it has them. */
  readonly outbox?: OutboxPubSub;
}

/** Where locks are, and what stands before their names. */
export interface OpenLockStore {
  readonly store: LockStore;
  readonly keyPrefix: string;
}

/** Bindings by the way they go; one may go both. */
export interface OpenBindings {
  readonly outputs: ReadonlyMap<string, OutputBinding>;
  readonly inputs: ReadonlyMap<string, OpenInput>;
}

/** The components that are up. */
export interface Components {
  readonly state: ReadonlyMap<string, OpenStateStore>;
  readonly secrets: ReadonlyMap<string, SecretStore>;
  readonly pubsub: ReadonlyMap<string, OpenPubSub>;
  readonly locks: ReadonlyMap<string, OpenLockStore>;
  readonly configurations: ReadonlyMap<string, ConfigurationStore>;
  readonly bindings: OpenBindings;
  readonly middleware: ReadonlyMap<string, OpenMiddleware>;
  /** For the metadata. */
  readonly list: readonly ComponentRow[];
  /** Brokers and bindings hand over nothing more; resolves when the application has what it was handed. */
  drain(): Promise<void>;
  close(): Promise<void>;
}

export interface ComponentRow {
  readonly name: string;
  readonly type: string;
  readonly version: string;
  readonly capabilities?: readonly string[];
}

/** A component that cannot be used keeps the sidecar from starting, as in Dapr, unless it says `ignoreErrors`. */
export class ComponentError extends Error {
  readonly code = 'COMPONENT';

  constructor({ file, name, type }: ComponentSpec, why: string) {
    super(`${file}: component ${name} (${type}) cannot be used: ${why}`);
    this.name = 'ComponentError';
  }
}

export interface ComponentsEnv {
  readonly appId: string;
  readonly namespace: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly variables: Readonly<Record<string, string | undefined>>;
  /** Where files are kept whose place a component does not name. */
  readonly stateDir: string;
  /** The outbound policies of a broker; undefined where there are none. */
  readonly outbound: (pubsub: string) => Pipeline | undefined;
}

/**
 * Brings components to life: secret stores first, since the others may refer to
 * their secrets. Those of a type that this version does not have are left out,
 * with a warning that names them.
 *
 * @throws ComponentError for one that cannot be used.
 */
export async function openComponents(
  specs: readonly ComponentSpec[],
  env: ComponentsEnv,
): Promise<Components> {
  const state = new Map<string, OpenStateStore>();
  const secrets = new Map<string, SecretStore>();
  const pubsub = new Map<string, OpenPubSub>();
  const locks = new Map<string, OpenLockStore>();
  const configurations = new Map<string, ConfigurationStore>();
  const outputs = new Map<string, OutputBinding>();
  const inputs = new Map<string, OpenInput>();
  const middleware = new Map<string, OpenMiddleware>();
  const list: ComponentRow[] = [];
  const outboxFiles = new Set<string>();
  const close = async () => {
    const brokers = [...pubsub.values()].map(({ broker }) => broker.close());
    // Its last event is not waited for: that was for `drain`.
    for (const { binding } of inputs.values()) void binding.stop();
    await Promise.allSettled([
      ...brokers,
      ...[...state.values(), ...locks.values()].map(({ store }) => store.close()),
      ...[...configurations.values()].map((store) => store.close()),
      ...[...outputs.values()].map((output) => output.close()),
    ]);
  };
  const drain = async () => {
    await Promise.allSettled([
      ...[...pubsub.values()].map(({ broker }) => broker.drain()),
      ...[...inputs.values()].map(({ binding }) => binding.stop()),
    ]);
  };
  const opening = async (
    spec: ComponentSpec,
    open: (settings: ComponentSettings) => Promise<void>,
  ) => {
    try {
      await open(await settingsOf(spec, secrets, env.variables));
    } catch (error) {
      const failure = new ComponentError(spec, (error as Error).message);
      if (spec.ignoreErrors) env.log.warn(`${failure.message}; it is left out (ignoreErrors).`);
      else throw failure;
    }
  };
  try {
    const isSecret = ({ type }: ComponentSpec) => type in SECRETS;
    for (const spec of [...specs.filter(isSecret), ...specs.filter((spec) => !isSecret(spec))]) {
      const { name, type, version } = spec;
      const row = { name, type, version };
      if (list.some((known) => known.name === name)) {
        env.log.warn(
          `${spec.file}: component ${name} is defined twice; the later one is left out.`,
        );
      } else if (type in SECRETS) {
        await opening(spec, async (settings) => {
          secrets.set(name, await SECRETS[type]!(settings, env));
          list.push(row);
        });
      } else if (type in STATE) {
        await opening(spec, async (settings) => {
          const open = STATE[`${type}/${version}`] ?? STATE[type]!;
          const store = await open(settings, env);
          state.set(name, { store, keyPrefix: keyPrefix(settings, name, env) });
          list.push({ ...row, capabilities: store.capabilities });
        });
      } else if (type in PUBSUB) {
        await opening(spec, async (settings) => {
          const opened = await openPubSub(settings, PUBSUB[type]!, env, outboxFiles);
          pubsub.set(name, { ...opened, scopes: topicScopes(settings, env.appId) });
          list.push({ ...row, capabilities: opened.broker.capabilities });
        });
      } else if (type in LOCKS) {
        await opening(spec, async (settings) => {
          const store = await LOCKS[type]!(settings);
          locks.set(name, { store, keyPrefix: keyPrefix(settings, name, env) });
          list.push(row);
        });
      } else if (type in CONFIGURATIONS) {
        await opening(spec, async (settings) => {
          configurations.set(name, await CONFIGURATIONS[type]!(settings, env));
          list.push(row);
        });
      } else if (type in OUTPUTS || type in INPUTS) {
        await opening(spec, async (settings) => {
          const direction = settings.text('direction');
          const capabilities: string[] = [];
          if (type in INPUTS && goes(direction, 'input')) {
            const binding = await INPUTS[type]!(settings, env);
            const route = settings.text('route') ?? name;
            inputs.set(name, { binding, route, explicit: goes(direction, 'input', true) });
            capabilities.push('INPUT_BINDING');
          }
          if (type in OUTPUTS && goes(direction, 'output')) {
            outputs.set(name, await OUTPUTS[type]!(settings, env));
            capabilities.push('OUTPUT_BINDING');
          }
          list.push({ ...row, capabilities });
        });
      } else if (type in MIDDLEWARE || type.startsWith('middleware.')) {
        await opening(spec, async (settings) => {
          const open = MIDDLEWARE[type];
          if (open === undefined) throw new Error(unknownMiddleware(type));
          middleware.set(name, { type, version, middleware: await open(settings, env) });
          list.push(row);
        });
      } else {
        env.log.warn(
          `${spec.file}: components of type ${type} are not in this version; it is left out.`,
        );
      }
    }
  } catch (error) {
    await close();
    throw error;
  }
  return {
    state,
    secrets,
    pubsub,
    locks,
    configurations,
    bindings: { outputs, inputs },
    middleware,
    list,
    drain,
    close,
  };
}

/** Left out, it would let pass what it is there to keep out. */
function unknownMiddleware(type: string): string {
  const known = Object.keys(MIDDLEWARE).join(', ');
  return `there is no middleware ${type} in this version, only ${known}; without it requests would pass that it should look at`;
}

async function settingsOf(
  spec: ComponentSpec,
  secrets: ReadonlyMap<string, SecretStore>,
  variables: Readonly<Record<string, string | undefined>>,
): Promise<ComponentSettings> {
  const values: [string, string][] = [];
  for (const item of spec.metadata) {
    if (item.kind === 'value') values.push([item.name, item.value]);
    else if (item.kind === 'variable') values.push([item.name, variables[item.variable] ?? '']);
    else values.push([item.name, await secretOf(spec, item, secrets)]);
  }
  return new ComponentSettings(spec.name, values);
}

async function secretOf(
  { secretStore }: ComponentSpec,
  item: { readonly name: string; readonly secret: string; readonly key: string },
  secrets: ReadonlyMap<string, SecretStore>,
): Promise<string> {
  const store = secretStore === undefined ? undefined : secrets.get(secretStore);
  if (store === undefined) {
    const named =
      secretStore === undefined
        ? 'no auth.secretStore is named'
        : `there is no secret store "${secretStore}"`;
    throw new Error(`metadata ${item.name} refers to the secret "${item.secret}", and ${named}`);
  }
  const secret = await store.get(item.secret);
  const value = secret[item.key] ?? secret[item.secret];
  if (value === undefined) throw new Error(`the secret "${item.secret}" has no key "${item.key}"`);
  return value;
}

/** What stands before `||` in the keys of a store; none where the strategy is `none`. */
function keyPrefix(
  settings: ComponentSettings,
  name: string,
  { appId, namespace }: ComponentsEnv,
): string {
  const strategy = settings.text('keyPrefix') ?? 'appid';
  switch (strategy.toLowerCase()) {
    case 'appid':
      return appId;
    case 'name':
      return name;
    case 'namespace':
      return `${namespace}.${appId}`;
    case 'none':
      return '';
    default:
      if (strategy.includes('||')) throw new Error(`keyPrefix "${strategy}" must not contain ||`);
      return strategy;
  }
}
