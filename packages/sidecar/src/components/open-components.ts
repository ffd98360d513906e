import type { Clock, Pipeline } from '@holdfast/core';
import type { Logger } from '@holdfast/telemetry/log';
import type { OutputBinding } from '../bindings/binding.ts';
import type { OpenInput } from '../bindings/input-bindings.ts';
import type { ConfigurationStore } from '../configuration/configuration-store.ts';
import type { OpenMiddleware } from '../middleware/open-pipeline.ts';
import type { PluggedTypes } from '../pluggable/plugged-types.ts';
import type { SecretStore } from '../secrets/secret-store.ts';
import { checkComponent } from './check-component.ts';
import {
  type ComponentPlaces,
  noComponents,
  type OpenLockStore,
  type OpenPubSub,
  type OpenStateStore,
} from './component-places.ts';
import type { ComponentSpec } from './component-spec.ts';
import { isSecretStore, meantType } from './component-types.ts';
import { within } from './init-timeout.ts';
import { type OpenComponent, openComponent } from './open-component.ts';
import { known, refuseDuplicates } from './refuse-duplicates.ts';

export type { OpenLockStore, OpenPubSub, OpenStateStore } from './component-places.ts';

/** Bindings by the way they go; one may go both. */
export interface OpenBindings {
  readonly outputs: ReadonlyMap<string, OutputBinding>;
  readonly inputs: ReadonlyMap<string, OpenInput>;
}

/** The components that are up, as they are now: all of this changes with their files. */
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
  /** One that could not be opened is left out, or is as it was: another try may do. */
  readonly incomplete: boolean;
  /**
   * Puts others in force: what is new or changed is opened, and only then takes
   * the place of what had its name; what cannot be opened leaves that where it
   * is, unless it says `ignoreErrors`, with a line in the log. Resolves with how to end those that have left,
   * for when nobody is sent to them any more.
   */
  replace(specs: readonly ComponentSpec[]): Promise<() => void>;
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
  /** Empty where the sidecar was given none. */
  readonly givenNamespace: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly variables: Readonly<Record<string, string | undefined>>;
  /** Where files are kept whose place a component does not name. */
  readonly stateDir: string;
  /** The outbound policies of a broker; undefined where there are none. */
  readonly outbound: (pubsub: string) => Pipeline | undefined;
  /** Types that pluggable components offer. @default none */
  readonly plugged?: PluggedTypes;
  /** Whether its kind is not to be used here. */
  readonly denied: (spec: ComponentSpec) => boolean;
  /** Told of each component that is up, by its type. */
  readonly up?: (type: string) => void;
  /** Told of each that is not: its type is not here (`creation`), or it could not begin (`init`). */
  readonly failed?: (type: string, name: string, reason: 'creation' | 'init') => void;
  /** How long calls under way may still use a component that has left. */
  readonly graceMs: number;
  /** Of a broker: an outbox keeps what it cannot be given yet, so nobody need answer there at the start. @default false */
  readonly mayBeAway?: boolean;
}

/**
 * Brings components to life: secret stores first, since the others may refer to
 * their secrets. Those of a type that this version does not have are left out,
 * with a warning that names them.
 *
 * @throws ComponentError for one that cannot be used, DuplicateComponentError for two of one name.
 */
export async function openComponents(
  specs: readonly ComponentSpec[],
  env: ComponentsEnv,
): Promise<Components> {
  const components = new LiveComponents(env);
  try {
    await components.open(specs);
  } catch (error) {
    await components.close();
    throw error;
  }
  return components;
}

/** A component that is up, and what its file says. */
interface Up extends OpenComponent {
  readonly spec: ComponentSpec;
}

class LiveComponents implements Components {
  readonly #env: ComponentsEnv;
  readonly #places: ComponentPlaces = noComponents();
  readonly #up = new Map<string, Up>();
  readonly #outboxFiles = new Set<string>();
  /** Have left and are not closed yet. */
  readonly #leaving = new Set<Up>();
  readonly #closing = new AbortController();
  #incomplete = false;

  constructor(env: ComponentsEnv) {
    this.#env = env;
  }

  get state() {
    return this.#places.state;
  }

  get secrets() {
    return this.#places.secrets;
  }

  get pubsub() {
    return this.#places.pubsub;
  }

  get locks() {
    return this.#places.locks;
  }

  get configurations() {
    return this.#places.configurations;
  }

  get bindings(): OpenBindings {
    return this.#places;
  }

  get middleware() {
    return this.#places.middleware;
  }

  get incomplete(): boolean {
    return this.#incomplete;
  }

  get list(): readonly ComponentRow[] {
    return [...this.#up.values()].map(({ row }) => row);
  }

  async open(specs: readonly ComponentSpec[]): Promise<void> {
    refuseDuplicates(specs);
    for (const spec of this.#inOrder(specs)) {
      try {
        const opened = await this.#open(spec);
        if (opened !== undefined) this.#enter(opened);
      } catch (error) {
        const failure = new ComponentError(spec, (error as Error).message);
        this.#env.failed?.(spec.type, spec.name, 'init');
        if (!spec.ignoreErrors) throw failure;
        this.#incomplete = true;
        this.#env.log.warn(`${failure.message}; it is left out (ignoreErrors).`);
      }
    }
  }

  async replace(specs: readonly ComponentSpec[]): Promise<() => void> {
    this.#incomplete = false;
    const left: Up[] = [];
    const wanted = this.#inOrder(specs);
    for (const [name, up] of this.#up) {
      if (wanted.some((spec) => spec.name === name)) continue;
      this.#leave(up);
      left.push(up);
      this.#env.log.info(`Component ${name} (${up.spec.type}) is gone.`);
    }
    for (const spec of wanted) {
      if (this.#closing.signal.aborted) break;
      const gone = await this.#renew(spec);
      if (gone !== undefined) left.push(gone);
    }
    return () => {
      for (const up of left) void this.#end(up);
    };
  }

  /** Puts in force what the file of one component says now; resolves with the one that has left for it. */
  async #renew(spec: ComponentSpec): Promise<Up | undefined> {
    const { failed, log } = this.#env;
    const { file, name, type } = spec;
    const before = this.#up.get(name);
    if (before !== undefined && saysTheSame(before.spec, spec)) return undefined;
    if (before?.pinned !== undefined) {
      log.warn(
        `${file}: component ${name} (${type}): in force after the next start, since ${before.pinned}.`,
      );
      return undefined;
    }
    try {
      const opened = await this.#open(spec);
      if (opened === undefined) return undefined;
      if (before !== undefined) this.#leave(before);
      this.#enter(opened);
      log.info(`Component ${name} (${type}) is ${before === undefined ? 'new' : 'changed'}.`);
      return before;
    } catch (error) {
      this.#incomplete = true;
      failed?.(type, name, 'init');
      const { message } = new ComponentError(spec, (error as Error).message);
      if (before !== undefined && !spec.ignoreErrors) {
        log.error(`${message}; it stays as it was.`);
        return undefined;
      }
      if (before !== undefined) this.#leave(before);
      // As it would be after the next start.
      log.error(`${message}; it is left out${spec.ignoreErrors ? ' (ignoreErrors)' : ''}.`);
      return before;
    }
  }

  async drain(): Promise<void> {
    await Promise.allSettled([...this.#up.values(), ...this.#leaving].map((up) => up.drain?.()));
  }

  async close(): Promise<void> {
    this.#closing.abort(new Error('The sidecar ends.'));
    const all = [...this.#up.values(), ...this.#leaving];
    this.#leaving.clear();
    await Promise.allSettled(all.map(async (up) => up.close?.()));
  }

  /** Secret stores first. */
  #inOrder(specs: readonly ComponentSpec[]): readonly ComponentSpec[] {
    const ordered = [
      ...specs.filter((spec) => isSecretStore(spec, this.#env)),
      ...specs.filter((spec) => !isSecretStore(spec, this.#env)),
    ];
    return ordered.filter((spec) => {
      const { file } = spec;
      if (this.#env.denied(spec)) {
        this.#env.log.warn(
          `${file}: component ${known(spec)} is left out: spec.components.deny of the Configuration has its type.`,
        );
        return false;
      }
      return true;
    });
  }

  async #open(spec: ComponentSpec): Promise<Up | undefined> {
    checkComponent(spec, this.#env.plugged);
    const { secrets } = this.#places;
    const opening = openComponent(spec, this.#env, secrets, this.#outboxFiles);
    const opened = await within(spec.initTimeoutMs, known(spec), this.#env.clock, opening);
    if (opened !== undefined) {
      const up = { ...opened, spec };
      if (!this.#closing.signal.aborted) return up;
      // It came up too late to be closed with the others.
      await up.close?.();
      throw this.#closing.signal.reason;
    }
    this.#env.failed?.(spec.type, spec.name, 'creation');
    this.#env.log.warn(
      `${spec.file}: components of type ${spec.type} are not in this version${meantType(spec.type)}; it is left out.`,
    );
    return undefined;
  }

  #enter(up: Up): void {
    up.enter(this.#places);
    this.#up.set(up.spec.name, up);
    this.#env.up?.(up.spec.type);
    // The line is daprd's, which operators look for.
    this.#env.log.info(`Component loaded: ${known(up.spec)}`);
  }

  #leave(up: Up): void {
    const { name } = up.spec;
    this.#up.delete(name);
    for (const place of Object.values(this.#places)) place.delete(name);
    this.#leaving.add(up);
  }

  /** When calls under way, and the application, have had their time. */
  async #end(up: Up): Promise<void> {
    const { clock, graceMs, log } = this.#env;
    const grace = clock.sleep(graceMs, this.#closing.signal);
    // Rejects when the sidecar ends first, which closes it as well.
    await Promise.allSettled([up.drain?.(), grace]);
    if (!this.#leaving.delete(up)) return;
    try {
      await up.close?.();
    } catch (error) {
      log.warn(`Component ${up.spec.name} ended badly: ${(error as Error).message}`);
    }
  }
}

/** Wherever they are written. */
function saysTheSame(a: ComponentSpec, b: ComponentSpec): boolean {
  return JSON.stringify({ ...a, file: '' }) === JSON.stringify({ ...b, file: '' });
}
