import type { Logger } from '@holdfast/telemetry/log';
import type { OutputBinding } from '../bindings/binding.ts';
import type { OpenInput } from '../bindings/input-bindings.ts';
import type { ComponentSettings } from '../components/component-settings.ts';
import type { ComponentsEnv } from '../components/open-components.ts';
import type { PubSub } from '../pubsub/pubsub.ts';
import type { SecretStore } from '../secrets/secret-store.ts';
import type { StateStore } from '../state/state-store.ts';
import { discoverPlugged, type PluggedSocket, SOCKETS_FOLDER } from './discover-plugged.ts';

type Open<Port> = (settings: ComponentSettings, env: ComponentsEnv) => Promise<Port>;
type Types<Port> = Readonly<Record<string, Open<Port>>>;

/** Types of components that programs outside offer. */
export interface PluggedTypes {
  readonly state: Types<StateStore>;
  readonly pubsub: Types<PubSub>;
  readonly secrets: Types<SecretStore>;
  readonly outputs: Types<OutputBinding>;
  readonly inputs: Types<OpenInput['binding']>;
}

export const NONE_PLUGGED: PluggedTypes = {
  state: {},
  pubsub: {},
  secrets: {},
  outputs: {},
  inputs: {},
};

const PACKAGE = 'dapr.proto.components.v1';

/** What is plugged in where `DAPR_COMPONENTS_SOCKETS_FOLDER` says, or where Dapr looks without it. */
export async function pluggedHere(
  variables: Readonly<Record<string, string | undefined>>,
  log: Logger,
): Promise<PluggedTypes> {
  const folder = variables.DAPR_COMPONENTS_SOCKETS_FOLDER ?? SOCKETS_FOLDER;
  return pluggedTypes(await discoverPlugged(folder, log));
}

function pluggedTypes(sockets: readonly PluggedSocket[]): PluggedTypes {
  /** What those that have `service` offer, as `KIND.NAME`. */
  const having = <Port>(
    service: string,
    kind: string,
    open: (socket: PluggedSocket) => Open<Port>,
  ) =>
    Object.fromEntries(
      sockets
        .filter(({ services }) => services.has(`${PACKAGE}.${service}`))
        .map((socket) => [`${kind}.${socket.name.toLowerCase()}`, open(socket)]),
    );
  return {
    state: having('StateStore', 'state', (socket) => async (settings) => {
      const { pluggedState } = await import('./plugged-state.ts');
      return await pluggedState(socket, settings);
    }),
    pubsub: having('PubSub', 'pubsub', (socket) => async (settings, env) => {
      const { pluggedPubSub } = await import('./plugged-pubsub.ts');
      return await pluggedPubSub(socket.socketPath, settings, env);
    }),
    secrets: having('SecretStore', 'secretstores', (socket) => async (settings) => {
      const { pluggedSecrets } = await import('./plugged-secrets.ts');
      return await pluggedSecrets(socket.socketPath, settings);
    }),
    outputs: having('OutputBinding', 'bindings', (socket) => async (settings) => {
      const { pluggedOutput } = await import('./plugged-output.ts');
      return await pluggedOutput(socket.socketPath, settings);
    }),
    inputs: having('InputBinding', 'bindings', (socket) => async (settings, env) => {
      const { pluggedInput } = await import('./plugged-input.ts');
      return await pluggedInput(socket.socketPath, settings, env);
    }),
  };
}
