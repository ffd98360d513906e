import { checkFunction, checkNumber, checkOneOf, checkOptions } from './check.ts';
import { ListenerHub } from './engine/reporter.ts';
import type { ForcedState } from './engine/stage.ts';
import type { Listener } from './events.ts';
import { FaultSwitch } from './fault/fault-switch.ts';
import type { KeyedPipeline, KeyedSnapshot } from './keyed/keyed-pipeline.ts';
import type { Pipeline, PipelineSnapshot } from './pipeline.ts';

/** Forces the circuits of one pipeline; false when it has none. */
export type ForcePipeline = (as: ForcedState | 'closed', forMs: number) => boolean;

/** Forces the circuits of one key of a family, or of all; false when there are none. */
export type ForceFamily = (
  key: string | undefined,
  as: ForcedState | 'closed',
  forMs: number,
) => boolean;

/** Names every live pipeline of a process, and lets an operator look at and steer them. */
export interface Registry {
  /** The live state of each pipeline, in the order in which they were made. */
  list(): readonly PipelineSnapshot[];
  /** The newest pipeline of that name; keyed ones are in `families`. */
  get(name: string): Pipeline | undefined;
  /** The keyed pipelines: a row for each family, not for each key. */
  families(): readonly KeyedSnapshot[];
  /** Hears the events of all pipelines in it, also of those that come later. Returns what ends it. */
  listen(listener: Listener): () => void;
  /**
   * Forces the circuits of a pipeline for `forMs` (1 ms … 24 h, default 5 min); `'closed'` in
   * `as` lifts a force. `key`: of a keyed pipeline that one; without, all of its keys. Throws a `RangeError` that names the pipelines there are.
   */
  force(
    pipeline: string,
    as: ForcedState | 'closed',
    options?: { readonly forMs?: number; readonly key?: string },
  ): void;
  /** Stops all faults that are put in on purpose, or allows them again. */
  readonly faults: FaultSwitch;
  /**
   * Lists a pipeline, in place of another of that name. Returns what takes it off.
   *
   * @internal
   */
  add(pipeline: Pipeline, force: ForcePipeline): () => void;
  /** @internal */
  addFamily(family: KeyedPipeline, force: ForceFamily): () => void;
  /** @internal */
  readonly hub: ListenerHub;
}

/**
 * Pipelines that one registry lists; of more, the oldest is no longer listed.
 * A program that makes a pipeline per call would otherwise never be rid of them.
 */
const LISTED_LIMIT = 10_000;

const FORCED = ['forced-open', 'forced-closed', 'disabled', 'observe', 'closed'];
const DEFAULT_FORCE_MS = 5 * 60_000;
const LONGEST_FORCE_MS = 24 * 3_600_000;

/** A registry of its own, for tests and for programs that keep several worlds apart. */
export function createRegistry(): Registry {
  const listed = new Map<string, { readonly pipeline: Pipeline; readonly force: ForcePipeline }>();
  const families = new Map<
    string,
    { readonly family: KeyedPipeline; readonly force: ForceFamily }
  >();
  const hub = new ListenerHub();

  return {
    hub,
    faults: new FaultSwitch(),
    list: () => Array.from(listed.values(), ({ pipeline }) => pipeline.inspect()),
    get: (name) => listed.get(name)?.pipeline,
    families: () => Array.from(families.values(), ({ family }) => family.inspect()),
    listen(listener) {
      checkFunction('listen.listener', listener ?? null);
      return hub.add(listener);
    },
    force(name, as, options = {}) {
      const { forMs, key } = checkOptions('force.options', options, {
        forMs: DEFAULT_FORCE_MS,
        key: undefined,
      });
      checkOneOf('force.as', as, FORCED);
      checkNumber('force.forMs', forMs, 1, LONGEST_FORCE_MS);
      const ofFamily = families.get(name);
      if (ofFamily !== undefined) {
        if (ofFamily.force(key, as, forMs)) return;
        const which = key === undefined ? 'no key with' : `no key "${key}" with`;
        throw new RangeError(`force.pipeline "${name}" has ${which} a circuit breaker now.`);
      }
      const entry = listed.get(name);
      if (entry === undefined) {
        const names =
          [...listed.keys(), ...families.keys()].map((known) => `"${known}"`).join(', ') || 'none';
        throw new RangeError(`force.pipeline must be a listed pipeline (${names}), not "${name}".`);
      }
      if (key !== undefined) {
        throw new RangeError(`force.key must not be given for "${name}": it has no keys.`);
      }
      if (!entry.force(as, forMs)) {
        throw new RangeError(`force.pipeline must have a circuit breaker; "${name}" has none.`);
      }
    },
    add: (pipeline, force) => enter(listed, pipeline.name, { pipeline, force }),
    addFamily: (family, force) => enter(families, family.name, { family, force }),
  };
}

/** Puts an entry into a list, in place of another of its name. Returns what takes it out. */
function enter<Entry>(list: Map<string, Entry>, name: string, entry: Entry): () => void {
  list.delete(name);
  list.set(name, entry);
  if (list.size > LISTED_LIMIT) list.delete(list.keys().next().value!);
  return () => {
    if (list.get(name) === entry) list.delete(name);
  };
}

/** The process's registry: every pipeline is in it that was not given another. */
export const registry: Registry = /* @__PURE__ */ createRegistry();
