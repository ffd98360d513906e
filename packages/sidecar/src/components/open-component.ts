import type { SecretStore } from '../secrets/secret-store.ts';
import type { ComponentPlaces } from './component-places.ts';
import { ComponentSettings } from './component-settings.ts';
import type { ComponentSpec } from './component-spec.ts';
import { lookUp } from './look-up.ts';
import type { ComponentRow, ComponentsEnv } from './open-components.ts';
import { OPEN_KINDS, type Opening } from './open-kinds.ts';
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
  const settings: Opening['settings'] = async () => {
    const values = await lookUpAll(spec, secrets, env);
    read = new ComponentSettings(spec.name, fillPlaceholders(values, env));
    return { given: read, namespaced: namesNamespace(values) };
  };
  const opened = await openAsItsKind({ spec, env, outboxFiles, settings });
  const unasked = read?.unasked().filter((name) => !QUIET.has(name.toLowerCase())) ?? [];
  if (opened !== undefined && unasked.length > 0) {
    env.log.warn(
      `${spec.file}: metadata ${unasked.join(', ')} of component ${spec.name} (${spec.type}) have no effect.`,
    );
  }
  return opened;
}

/** For what is not here at all, which its API says: every file that `dapr init` made has it. */
const QUIET = new Set(['actorstatestore']);

async function openAsItsKind(opening: Opening): Promise<OpenComponent | undefined> {
  for (const open of OPEN_KINDS) {
    const opened = await open(opening);
    if (opened !== undefined) return opened;
  }
  return undefined;
}

async function lookUpAll(
  spec: ComponentSpec,
  secrets: ReadonlyMap<string, SecretStore>,
  { log, variables }: ComponentsEnv,
): Promise<readonly (readonly [string, string])[]> {
  const values: [string, string][] = [];
  const warn = (message: string): void =>
    log.warn(`${spec.file}: component ${spec.name}: ${message}`);
  const from = { secretStore: spec.secretStore, secrets, variables, warn };
  for (const item of spec.metadata) {
    values.push([item.name, await lookUp(`metadata ${item.name}`, item, from)]);
  }
  return values;
}
