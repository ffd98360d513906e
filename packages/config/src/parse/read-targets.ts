import { type Entry, entriesOf, type Reading } from './entries.ts';
import { type MapReader, readObject } from './map-reader.ts';
import { byExactness, parseMethod } from './method-pattern.ts';
import type {
  ActorScope,
  ActorTarget,
  AppTarget,
  ComponentTarget,
  MethodTarget,
  PolicyNames,
  TargetSet,
} from './resiliency-document.ts';
import {
  ACTOR_TARGET,
  APP_TARGET,
  COMPONENT_TARGET,
  METHOD_TARGET,
  TARGETS,
} from './vocabulary.ts';

/** Circuits kept per app, and per actor type, where the file does not say. */
export const APP_CIRCUITS = 100;
const ACTOR_CIRCUITS = 5_000;

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
  const names = { ...policyNames(reader), ...ownNames(reader), ...httpNames(reader) };
  const methods = readMethods(reading, reader.entry('methods'), `apps.${entry.key}.methods`);
  if (reader.broken) return undefined;
  const circuitCacheSize = size || APP_CIRCUITS;
  return { name: entry.key, at: reader.place(), ...names, circuitCacheSize, methods };
}

/** The entries of `methods`, the most exact first; one that cannot be read is left out. */
function readMethods(reading: Reading, entry: Entry | undefined, path: string): MethodTarget[] {
  const targets: MethodTarget[] = [];
  const entries = entry === undefined ? [] : (entriesOf(reading, entry, path) ?? []);
  for (const each of entries) {
    if (targets.length >= MOST_METHODS) {
      const message = `${path} has over ${MOST_METHODS} entries, the limit`;
      reading.report.add(each.keyOffset, 'too-many-entries', message);
      break;
    }
    const pattern = parseMethod(each.key);
    if ('fault' in pattern) {
      const message = `${path}."${each.key}" ${pattern.fault}; write GET /path or /path`;
      reading.report.add(each.keyOffset, 'bad-method', message);
      continue;
    }
    const reader = readObject(reading, each, `${path}."${each.key}"`, METHOD_TARGET);
    const names = { ...policyNames(reader), ...ownNames(reader), ...httpNames(reader) };
    if (reader.broken) continue;
    targets.push({ name: each.key, at: reader.place(), pattern, names });
  }
  return targets.sort((one, other) => byExactness(one.pattern, other.pattern));
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
    return { ...policyNames(names), ...ownNames(names) };
  };
  const inbound = direction('inbound');
  const outbound = direction('outbound');
  if (reader.broken) return undefined;
  return { name: entry.key, at: reader.place(), inbound, outbound };
}

/** Methods of one app; each call looks for its own among them. */
const MOST_METHODS = 200;

type Name = 'timeout' | 'retry' | 'circuitBreaker';

function policyNames(reader: Pick<MapReader<Name>, 'text' | 'place'>): PolicyNames {
  return {
    ...reference(reader, 'timeout'),
    ...reference(reader, 'retry'),
    ...reference(reader, 'circuitBreaker'),
  };
}

function ownNames(
  reader: Pick<MapReader<'bulkhead' | 'deadline' | 'rateLimit'>, 'text' | 'place'>,
): PolicyNames {
  return {
    ...reference(reader, 'bulkhead'),
    ...reference(reader, 'deadline'),
    ...reference(reader, 'rateLimit'),
  };
}

function httpNames(
  reader: Pick<MapReader<'hedge' | 'cache' | 'fallback'>, 'text' | 'place'>,
): PolicyNames {
  return {
    ...reference(reader, 'hedge'),
    ...reference(reader, 'cache'),
    ...reference(reader, 'fallback'),
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
