import { goes } from '../bindings/binding.ts';
import { NONE_PLUGGED } from '../pluggable/plugged-types.ts';
import { namespacedPubSub } from '../pubsub/namespaced-pubsub.ts';
import { openPubSub } from '../pubsub/open-pubsub.ts';
import { topicScopes } from '../pubsub/publish/topic-scopes.ts';
import { encryptedState } from '../state/encrypted-state.ts';
import { encryptionKeys } from '../state/encryption-keys.ts';
import { stateOutboxSettings } from '../state/outbox/state-outbox-settings.ts';
import type { ComponentSettings } from './component-settings.ts';
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
import { keyPrefix } from './key-prefix.ts';
import type { OpenComponent } from './open-component.ts';
import type { ComponentsEnv } from './open-components.ts';

/** A component that is to be opened. */
export interface Opening {
  readonly spec: ComponentSpec;
  readonly env: ComponentsEnv;
  /** The outboxes in use. */
  readonly outboxFiles: Set<string>;
  /** Looks the metadata up, when it is known that somebody wants them. */
  settings(): Promise<{
    readonly given: ComponentSettings;
    /** `{namespace}` is in one of its values. */
    readonly namespaced: boolean;
  }>;
}

/**
 * Opens a component of one kind; undefined where its type is none of that. What can be wrong with its metadata is found
 * out before it is open: nobody would close it then.
 */
type OpenKind = (opening: Opening) => Promise<OpenComponent | undefined>;

/** What is plugged in comes first, as in Dapr. */
const pluggedIn = ({ env }: Opening) => env.plugged ?? NONE_PLUGGED;

const rowOf = ({ spec: { name, type, version } }: Opening) => ({ name, type, version });

const openSecrets: OpenKind = async (opening) => {
  const { env, spec } = opening;
  const open = openerOf([pluggedIn(opening).secrets, SECRETS], spec);
  if (open === undefined) return undefined;
  const { given } = await opening.settings();
  const store = await open(given, env);
  const { capabilities } = store;
  return {
    row: { ...rowOf(opening), ...(capabilities && { capabilities }) },
    enter: (places) => void places.secrets.set(spec.name, store),
    close: () => store.close?.(),
  };
};

const openState: OpenKind = async (opening) => {
  const { env, spec } = opening;
  const open = openerOf([pluggedIn(opening).state, STATE], spec);
  if (open === undefined) return undefined;
  const { given } = await opening.settings();
  const keys = encryptionKeys(spec.metadata, given);
  const use = {
    keyPrefix: keyPrefix(given, spec.name, env),
    outbox: stateOutboxSettings(given, env.log),
  };
  const bare = await open(given, env);
  const store = keys === undefined ? bare : encryptedState(bare, keys);
  return {
    row: { ...rowOf(opening), capabilities: withActors(store.capabilities) },
    enter: (places) => void places.state.set(spec.name, { ...use, store }),
    close: () => store.close(),
  };
};

/** Of a store that could keep actors Dapr's metadata say so, whether there are any or not. */
function withActors(capabilities: readonly string[]): readonly string[] {
  const could = ['ETAG', 'TRANSACTIONAL'].every((one) => capabilities.includes(one));
  return could ? [...capabilities, 'ACTOR'] : capabilities;
}

const openBroker: OpenKind = async (opening) => {
  const { env, outboxFiles, spec } = opening;
  const open = openerOf([pluggedIn(opening).pubsub, PUBSUB], spec);
  if (open === undefined) return undefined;
  const { given, namespaced } = await opening.settings();
  const scopes = topicScopes(given, env.appId);
  const opened = await openPubSub(given, open, env, outboxFiles);
  const { outbox } = opened;
  const broker = namespaced ? namespacedPubSub(opened.broker, env.namespace) : opened.broker;
  return {
    row: { ...rowOf(opening), capabilities: broker.capabilities },
    ...(outbox && { pinned: 'it has an outbox' }),
    enter: (places) => void places.pubsub.set(spec.name, { ...opened, broker, scopes }),
    drain: () => broker.drain(),
    close: () => broker.close(),
  };
};

const openLocks: OpenKind = async (opening) => {
  const { env, spec } = opening;
  const open = openerOf([LOCKS], spec);
  if (open === undefined) return undefined;
  const { given } = await opening.settings();
  // Another text here than daprd's would let both hold one lock.
  const whose = { appId: env.appId, givenNamespace: undefined };
  const prefix = keyPrefix(given, spec.name, whose);
  const store = await open(given, env);
  return {
    row: rowOf(opening),
    enter: (places) => void places.locks.set(spec.name, { store, keyPrefix: prefix }),
    close: () => store.close(),
  };
};

const openConfiguration: OpenKind = async (opening) => {
  const { env, spec } = opening;
  const open = openerOf([CONFIGURATIONS], spec);
  if (open === undefined) return undefined;
  const { given } = await opening.settings();
  const store = await open(given, env);
  return {
    row: rowOf(opening),
    pinned: 'the application may be waiting for its changes',
    enter: (places) => void places.configurations.set(spec.name, store),
    close: () => store.close(),
  };
};

const openMiddleware: OpenKind = async (opening) => {
  const { env, spec } = opening;
  const { name, type, version } = spec;
  if (!type.startsWith('middleware.')) return undefined;
  const open = openerOf([MIDDLEWARE], spec);
  if (open === undefined) throw new Error(unknownMiddleware(type));
  const { given } = await opening.settings();
  const middleware = await open(given, env);
  return {
    row: rowOf(opening),
    enter: (places) => void places.middleware.set(name, { type, version, middleware }),
  };
};

/** Left out, it would let pass what it is there to keep out. */
function unknownMiddleware(type: string): string {
  const known = Object.keys(MIDDLEWARE).join(', ');
  return `there is no middleware ${type} in this version, only ${known}; without it requests would pass that it should look at`;
}

const openBinding: OpenKind = async (opening) => {
  const { env, spec } = opening;
  const { inputs, outputs } = pluggedIn(opening);
  const openInput = openerOf([inputs, INPUTS], spec);
  const openOutput = openerOf([outputs, OUTPUTS], spec);
  if (openInput === undefined && openOutput === undefined) return undefined;
  const { given } = await opening.settings();
  const direction = given.text('direction');
  const route = given.text('route') ?? spec.name;
  const explicit = goes(direction, 'input', true);
  const input = goes(direction, 'input') ? await openInput?.(given, env) : undefined;
  const output = goes(direction, 'output')
    ? await openOutput?.(given, env).catch(async (error: unknown) => {
        await input?.stop();
        throw error;
      })
    : undefined;
  const capabilities = [
    ...(input === undefined ? [] : ['INPUT_BINDING']),
    ...(output === undefined ? [] : ['OUTPUT_BINDING']),
  ];
  return {
    row: { ...rowOf(opening), capabilities },
    enter(places) {
      if (input !== undefined) places.inputs.set(spec.name, { binding: input, route, explicit });
      if (output !== undefined) places.outputs.set(spec.name, output);
    },
    drain: async () => input?.stop(),
    async close() {
      // Its last event is not waited for, nor how that ends: that was for `drain`.
      void input?.stop().catch(() => {});
      await output?.close();
    },
  };
};

/** In the order in which a type is looked for. */
export const OPEN_KINDS: readonly OpenKind[] = [
  openSecrets,
  openState,
  openBroker,
  openLocks,
  openConfiguration,
  openMiddleware,
  openBinding,
];
