import { isRecord } from '../resources/resource-files.ts';
import { GoJsonError } from './go-json-error.ts';
import { goKind } from './go-kind.ts';

/** How Go reads JSON into one of its types; `zero` is what stays where JSON says null, or nothing. */
export interface GoType<T> {
  /** As Go's errors have it. */
  readonly name: string;
  readonly zero: T;
  /** @throws GoJsonError where the JSON is of another type. */
  read(given: unknown, place: Place): T;
}

/** Where in the struct that is being read: Go's errors name it. */
interface Place {
  readonly struct: string;
  readonly path: string;
}

const TOP: Place = { struct: '', path: '' };

/** @throws GoJsonError in Go's words. */
export function readInto<T>(type: GoType<T>, given: unknown): T {
  return given === null ? type.zero : type.read(given, TOP);
}

export const goString: GoType<string> = {
  name: 'string',
  zero: '',
  read(given, place) {
    if (typeof given === 'string') return given;
    throw mismatch(goKind(given), this.name, place);
  },
};

export const goBool: GoType<boolean> = {
  name: 'bool',
  zero: false,
  read(given, place) {
    if (typeof given === 'boolean') return given;
    throw mismatch(goKind(given), this.name, place);
  },
};

export const goInt: GoType<number> = {
  name: 'int',
  zero: 0,
  read(given, place) {
    if (typeof given !== 'number') throw mismatch(goKind(given), this.name, place);
    if (!Number.isInteger(given)) throw mismatch(`number ${given}`, this.name, place);
    return given;
  },
};

/** Whatever JSON says; numbers beyond a float64 are none. */
export const goAny: GoType<unknown> = {
  name: 'interface {}',
  zero: null,
  read(given, place) {
    checkNumbers(given, place, 0);
    return given;
  },
};

/** Of what may be anything. What works on it later has a stack to care for, as Go has its 10,000. */
const DEEPEST = 1_000;

function checkNumbers(given: unknown, place: Place, depth: number): void {
  if (typeof given === 'number') {
    if (!Number.isFinite(given)) throw mismatch('number', 'float64', place);
  } else if (typeof given === 'object' && given !== null) {
    if (depth === DEEPEST) throw new GoJsonError('exceeded max depth');
    for (const one of Object.values(given)) checkNumbers(one, place, depth + 1);
  }
}

export function goMap<T>(of: GoType<T>): GoType<Readonly<Record<string, T>>> {
  return {
    name: `map[string]${of.name}`,
    zero: {},
    read(given, place) {
      if (!isRecord(given)) throw mismatch(goKind(given), this.name, place);
      return Object.fromEntries(
        Object.entries(given).map(([name, one]) => [
          name,
          one === null ? of.zero : of.read(one, place),
        ]),
      );
    },
  };
}

export function goSlice<T>(of: GoType<T>): GoType<readonly T[]> {
  return {
    name: `[]${of.name}`,
    zero: [],
    read(given, place) {
      if (!Array.isArray(given)) throw mismatch(goKind(given), this.name, place);
      return given.map((one: unknown) => (one === null ? of.zero : of.read(one, place)));
    },
  };
}

/** Fields are found by their names in any letter case; others are overlooked, the last of several counts. */
export function goStruct<T extends object>(
  name: string,
  fields: { readonly [K in keyof T]: GoType<T[K]> },
): GoType<T> {
  const types = Object.entries(fields) as [string, GoType<unknown>][];
  const byName = new Map(
    types.map(([field, type]) => [field.toLowerCase(), [field, type] as const]),
  );
  const zero = Object.fromEntries(types.map(([field, type]) => [field, type.zero])) as T;
  const struct = name.slice(name.indexOf('.') + 1);
  return {
    name,
    zero,
    read(given, place) {
      if (!isRecord(given)) throw mismatch(goKind(given), name, place);
      const read = { ...zero } as Record<string, unknown>;
      for (const [written, value] of Object.entries(given)) {
        const found = byName.get(written.toLowerCase());
        if (found === undefined || value === null) continue;
        const [field, type] = found;
        const path = place.path === '' ? field : `${place.path}.${field}`;
        read[field] = type.read(value, { struct, path });
      }
      return read as T;
    },
  };
}

function mismatch(kind: string, type: string, { path, struct }: Place): GoJsonError {
  const into = path === '' ? 'value' : `struct field ${struct}.${path}`;
  return new GoJsonError(`json: cannot unmarshal ${kind} into Go ${into} of type ${type}`);
}
