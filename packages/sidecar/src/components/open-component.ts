import { goes } from '../bindings/binding.ts';
import { NONE_PLUGGED } from '../pluggable/plugged-types.ts';
import { namespacedPubSub } from '../pubsub/namespaced-pubsub.ts';
import { openPubSub } from '../pubsub/open-pubsub.ts';
import { topicScopes } from '../pubsub/publish/topic-scopes.ts';
import type { SecretStore } from '../secrets/secret-store.ts';
import { encryptedState } from '../state/encrypted-state.ts';
import { encryptionKeys } from '../state/encryption-keys.ts';
import { stateOutboxSettings } from '../state/outbox/state-outbox-settings.ts';
import type { ComponentPlaces } from './component-places.ts';
import { ComponentSettings } from './component-settings.ts';
import type { ComponentSpec } from './component-spec.ts';
import {
  CONFIGURATIONS,
  INPUTS,
  LOCKS,
  MIDDLEWARE,
  OUTPUTS,
  openerOf,
  PUBSUB,
  SECRETS,
  STATE,
} from './component-types.ts';
import { lookUp } from './look-up.ts';
import type { ComponentRow, ComponentsEnv } from './open-components.ts';
import { fillPlaceholders, namesNamespace } from './placeholders.ts';

/** A component that is up. */
export interface OpenComponent {
  readonly row: ComponentRow;
  /** Another cannot take its place while the sidecar runs, and why not. */
  readonly pinned?: string;
  /** Is found by the APIs from now on, in place of who had its name. */
  enter(places: ComponentPlaces): void;
  /** Hands over nothing more; resolves when the application has what it was handed. */
  drain?(): Promise<void>;
  close?(): void | Promise<void>;
}

/**
 * Brings a component to life; undefined where this version does not have its
 * type. `outboxFiles` are those in use.
 *
 * @throws Error for one that cannot be used.
 */
export async function openComponent(
  spec: ComponentSpec,
  env: ComponentsEnv,
  secrets: ReadonlyMap<string, SecretStore>,
  outboxFiles: Set<string>,
): Promise<OpenComponent | undefined> {
  let read: ComponentSettings | undefined;
  const settings: GivenSettings = async () => {
    const values = await lookUpAll(spec, secrets, env.variables);
    read = new ComponentSettings(spec.name, fillPlaceholders(values, env));
    return { given: read, namespaced: namesNamespace(values) };
  };
  const opened = await openAs(spec, env, settings, outboxFiles);
  const unasked = read?.unasked().filter((name) => !QUIET.has(name.toLowerCase())) ?? [];
  if (opened !== undefined && unasked.length > 0) {
    env.log.warn(
      `${spec.file}: metadata ${unasked.join(', ')} of component ${spec.name} (${spec.type}) have no effect.`,
    );
  }
  return opened;
}

/** Reads the metadata, when it is known that somebody wants them. */
type GivenSettings = () => Promise<{
  readonly given: ComponentSettings;
  /** `{namespace}` is in one of its values. */
  readonly namespaced: boolean;
}>;

/** For what is not here at all, which its API says: every file that `dapr init` made has it. */
const QUIET = new Set(['actorstatestore']);

async function openAs(
  spec: ComponentSpec,
  env: ComponentsEnv,
  settings: GivenSettings,
  outboxFiles: Set<string>,
): Promise<OpenComponent | undefined> {
  const { name, type, version } = spec;
  const row = { name, type, version };
  // What is plugged in comes first, as in Dapr.
  const { plugged = NONE_PLUGGED } = env;
  const openSecrets = openerOf([plugged.secrets, SECRETS], type);
  if (openSecrets !== undefined) {
    const store = await openSecrets((await settings()).given, env);
    const { capabilities } = store;
    return {
      row: capabilities === undefined ? row : { ...row, capabilities },
      enter: (places) => void places.secrets.set(name, store),
    };
  }
  const openState = openerOf([plugged.state, STATE], `${type}/${version}`, type);
  if (openState !== undefined) {
    const { given } = await settings();
    const keys = encryptionKeys(spec.metadata, given);
    const bare = await openState(given, env);
    const store = keys === undefined ? bare : encryptedState(bare, keys);
    const outbox = stateOutboxSettings(given, env.log);
    const open = { store, keyPrefix: keyPrefix(given, name, env), outbox };
    return {
      row: { ...row, capabilities: withActors(store.capabilities) },
      enter: (places) => void places.state.set(name, open),
      close: () => store.close(),
    };
  }
  const openBroker = openerOf([plugged.pubsub, PUBSUB], type);
  if (openBroker !== undefined) {
    const { given, namespaced } = await settings();
    const opened = await openPubSub(given, openBroker, env, outboxFiles);
    const { outbox } = opened;
    const broker = namespaced ? namespacedPubSub(opened.broker, env.namespace) : opened.broker;
    const open = { ...opened, broker, scopes: topicScopes(given, env.appId) };
    return {
      row: { ...row, capabilities: broker.capabilities },
      ...(outbox && { pinned: 'it has an outbox' }),
      enter: (places) => void places.pubsub.set(name, open),
      drain: () => broker.drain(),
      close: () => broker.close(),
    };
  }
  const openLocks = openerOf([LOCKS], type);
  if (openLocks !== undefined) {
    const { given } = await settings();
    const store = await openLocks(given, env);
    const open = { store, keyPrefix: keyPrefix(given, name, env) };
    return {
      row,
      enter: (places) => void places.locks.set(name, open),
      close: () => store.close(),
    };
  }
  const openConfiguration = openerOf([CONFIGURATIONS], type);
  if (openConfiguration !== undefined) {
    const store = await openConfiguration((await settings()).given, env);
    return {
      row,
      pinned: 'the application may be waiting for its changes',
      enter: (places) => void places.configurations.set(name, store),
      close: () => store.close(),
    };
  }
  if (type.startsWith('middleware.')) {
    const open = openerOf([MIDDLEWARE], type);
    if (open === undefined) throw new Error(unknownMiddleware(type));
    const middleware = await open((await settings()).given, env);
    return {
      row,
      enter: (places) => void places.middleware.set(name, { type, version, middleware }),
    };
  }
  const ways = {
    input: openerOf([plugged.inputs, INPUTS], type),
    output: openerOf([plugged.outputs, OUTPUTS], type),
  };
  if (ways.input === undefined && ways.output === undefined) return undefined;
  return await openBinding(spec, (await settings()).given, env, ways);
}

/** Left out, it would let pass what it is there to keep out. */
function unknownMiddleware(type: string): string {
  const known = Object.keys(MIDDLEWARE).join(', ');
  return `there is no middleware ${type} in this version, only ${known}; without it requests would pass that it should look at`;
}

async function openBinding(
  { name, type, version }: ComponentSpec,
  settings: ComponentSettings,
  env: ComponentsEnv,
  ways: {
    readonly input: (typeof INPUTS)[string] | undefined;
    readonly output: (typeof OUTPUTS)[string] | undefined;
  },
): Promise<OpenComponent> {
  const direction = settings.text('direction');
  const input = goes(direction, 'input') ? await ways.input?.(settings, env) : undefined;
  const output = goes(direction, 'output') ? await ways.output?.(settings, env) : undefined;
  const route = settings.text('route') ?? name;
  const capabilities = [
    ...(input === undefined ? [] : ['INPUT_BINDING']),
    ...(output === undefined ? [] : ['OUTPUT_BINDING']),
  ];
  return {
    row: { name, type, version, capabilities },
    enter({ inputs, outputs }) {
      const explicit = goes(direction, 'input', true);
      if (input !== undefined) inputs.set(name, { binding: input, route, explicit });
      if (output !== undefined) outputs.set(name, output);
    },
    drain: async () => input?.stop(),
    async close() {
      // Its last event is not waited for: that was for `drain`.
      void input?.stop();
      await output?.close();
    },
  };
}

async function lookUpAll(
  spec: ComponentSpec,
  secrets: ReadonlyMap<string, SecretStore>,
  variables: Readonly<Record<string, string | undefined>>,
): Promise<readonly (readonly [string, string])[]> {
  const values: [string, string][] = [];
  const from = { secretStore: spec.secretStore, secrets, variables };
  for (const item of spec.metadata) {
    values.push([item.name, await lookUp(`metadata ${item.name}`, item, from)]);
  }
  return values;
}

/** Of a store that could keep actors Dapr's metadata say so, whether there are any or not. */
function withActors(capabilities: readonly string[]): readonly string[] {
  const could = ['ETAG', 'TRANSACTIONAL'].every((one) => capabilities.includes(one));
  return could ? [...capabilities, 'ACTOR'] : capabilities;
}

/** What stands before `||` in the keys of a store; none where the strategy is `none`. */
function keyPrefix(
  settings: ComponentSettings,
  name: string,
  { appId, givenNamespace }: ComponentsEnv,
): string {
  // In Dapr's keys a prefix of one's own is in lower case as well.
  const strategy = (settings.text('keyPrefix') ?? 'appid').toLowerCase();
  switch (strategy) {
    case 'appid':
      return appId;
    case 'name':
      return name;
    case 'namespace':
      // As in Dapr, an app without a namespace has the keys of one that does not ask for it.
      return givenNamespace === '' ? appId : `${givenNamespace}.${appId}`;
    case 'none':
      return '';
    default:
      if (strategy.includes('||')) throw new Error(`keyPrefix "${strategy}" must not contain ||`);
      return strategy;
  }
}
