import { type Entry, entriesOf, type Reading } from './entries.ts';
import { type MapReader, readObject } from './map-reader.ts';
import type {
  ActorScope,
  ActorTarget,
  AppTarget,
  ComponentTarget,
  PolicyNames,
  TargetSet,
} from './resiliency-document.ts';
import { ACTOR_TARGET, APP_TARGET, COMPONENT_TARGET, TARGETS } from './vocabulary.ts';

/** Circuits kept per app, and per actor type, where the file does not say. */
export const APP_CIRCUITS = 100;
export const ACTOR_CIRCUITS = 5_000;

/** `spec.targets`. A target that cannot be read as it stands is left out. */
export function readTargets(reading: Reading, entry: Entry | undefined): TargetSet {
  const reader = readObject(reading, entry, 'targets', TARGETS);
  const section = <Target>(
    name: 'apps' | 'actors' | 'components',
    read: (reading: Reading, entry: Entry) => Target | undefined,
  ): Map<string, Target> => {
    const targets = new Map<string, Target>();
    const written = reader.entry(name);
    if (written === undefined) return targets;
    for (const each of entriesOf(reading, written, `targets.${name}`) ?? []) {
      const target = read(reading, each);
      if (target !== undefined) targets.set(each.key, target);
    }
    return targets;
  };
  return {
    apps: section('apps', readApp),
    actors: section('actors', readActor),
    components: section('components', readComponent),
  };
}

function readApp(reading: Reading, entry: Entry): AppTarget | undefined {
  const reader = readObject(reading, entry, `apps.${entry.key}`, APP_TARGET);
  const size = reader.integer('circuitBreakerCacheSize')?.value ?? 0;
  const names = {
    ...policyNames(reader),
    ...reference(reader, 'bulkhead'),
    ...reference(reader, 'deadline'),
  };
  if (reader.broken) return undefined;
  return { name: entry.key, at: reader.place(), ...names, circuitCacheSize: size || APP_CIRCUITS };
}

function readActor(reading: Reading, entry: Entry): ActorTarget | undefined {
  const reader = readObject(reading, entry, `actors.${entry.key}`, ACTOR_TARGET);
  const size = reader.integer('circuitBreakerCacheSize')?.value ?? 0;
  const scope = reader.text('circuitBreakerScope')?.value as ActorScope | undefined;
  const names = policyNames(reader);
  if (reader.broken) return undefined;
  if (names.circuitBreaker !== undefined && scope === undefined) {
    const says = 'is missing, and a circuitBreaker needs it: type or id';
    reader.fault('circuitBreakerScope', 'actor-scope', says);
    return undefined;
  }
  if (names.circuitBreaker === undefined && scope !== undefined) {
    reader.fault('circuitBreakerScope', 'ignored-field', 'has no effect without a circuitBreaker');
  }
  return {
    name: entry.key,
    at: reader.place(),
    ...names,
    circuitCacheSize: size || ACTOR_CIRCUITS,
    ...(scope === undefined ? {} : { circuitScope: scope }),
  };
}

function readComponent(reading: Reading, entry: Entry): ComponentTarget | undefined {
  const path = `components.${entry.key}`;
  const reader = readObject(reading, entry, path, COMPONENT_TARGET);
  const direction = (name: 'inbound' | 'outbound'): PolicyNames => {
    const { fields } = COMPONENT_TARGET[name];
    const names = readObject(reading, reader.entry(name), `${path}.${name}`, fields);
    if (names.broken) reader.broken = true;
    return policyNames(names);
  };
  const inbound = direction('inbound');
  const outbound = direction('outbound');
  if (reader.broken) return undefined;
  return { name: entry.key, at: reader.place(), inbound, outbound };
}

type Name = 'timeout' | 'retry' | 'circuitBreaker';

function policyNames(reader: Pick<MapReader<Name>, 'text' | 'place'>): PolicyNames {
  return {
    ...reference(reader, 'timeout'),
    ...reference(reader, 'retry'),
    ...reference(reader, 'circuitBreaker'),
  };
}

/** The name a target gives, as a field of its own; nothing where it gives none. */
function reference<Field extends string>(
  reader: Pick<MapReader<Field>, 'text' | 'place'>,
  field: Field,
): { readonly [Key in Field]?: { name: string; at: ReturnType<MapReader<Field>['place']> } } {
  const written = reader.text(field);
  if (written === undefined) return {};
  const { value: name, offset } = written;
  return { [field]: { name, at: reader.place(offset) } } as ReturnType<typeof reference<Field>>;
}
