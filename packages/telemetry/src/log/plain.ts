/** Deeper than this a value is cut: logs are read by people. */
const DEEPEST = 6;
/** More entries of one object or list than this are left out. */
const MOST_ENTRIES = 100;
/** Longer texts are cut. */
const LONGEST_TEXT = 8_192;
/** Values of one line; those behind are left out. Objects that share others would be copied without end. */
const MOST_VALUES = 10_000;

/**
 * A copy of `value` that `JSON.stringify` can write, whatever it was: big
 * integers become decimal text, errors an object with their code and causes,
 * cycles, great depths and what is too much a word in brackets. Getters that throw are said to.
 */
export function plain(value: unknown): unknown {
  return copy(value, { path: [], left: { values: MOST_VALUES } });
}

/** Where in the whole a value stands, and how many more there may be. */
interface Place {
  readonly path: readonly object[];
  readonly left: { values: number };
}

function copy(value: unknown, place: Place): unknown {
  place.left.values -= 1;
  if (place.left.values < 0) return '[too much]';
  switch (typeof value) {
    case 'string':
      return value.length > LONGEST_TEXT ? `${value.slice(0, LONGEST_TEXT)}…` : value;
    case 'number':
      return Number.isFinite(value) ? value : String(value);
    case 'boolean':
      return value;
    case 'undefined':
      return undefined;
    case 'bigint':
      return String(value);
    case 'symbol':
      return String(value);
    case 'function':
      return `[function ${value.name}]`;
    case 'object':
      return value === null ? null : copyObject(value, place);
  }
}

function copyObject(value: object, { path, left }: Place): unknown {
  if (path.includes(value)) return '[circular]';
  if (path.length >= DEEPEST) return '[too deep]';
  const inside = { path: [...path, value], left };
  try {
    if (value instanceof Error) return copyError(value, inside);
    if (value instanceof Uint8Array) return `[${value.byteLength} bytes]`;
    if (value instanceof Map)
      return copyEntries(
        [...value].map(([k, v]) => [String(k), v]),
        inside,
      );
    if (Array.isArray(value) || value instanceof Set) return copyList([...value], inside);
    if ('toJSON' in value && typeof value.toJSON === 'function')
      return copy(value.toJSON(), inside);
    return copyEntries(Object.entries(value), inside);
  } catch (error) {
    // A getter, a proxy or a `toJSON` threw: the rest of the line is still worth writing.
    return `[unreadable: ${error instanceof Error ? error.message : 'threw'}]`;
  }
}

function copyError(error: Error, place: Place): unknown {
  const { name, message, stack, cause } = error;
  return copyEntries(
    Object.entries({
      ...error,
      name,
      message,
      ...(cause === undefined ? {} : { cause }),
      ...(error instanceof AggregateError ? { errors: error.errors } : {}),
      ...(stack === undefined ? {} : { stack }),
    }),
    place,
  );
}

function copyEntries(
  entries: readonly (readonly [string, unknown])[],
  place: Place,
): Record<string, unknown> {
  const kept = entries
    .slice(0, MOST_ENTRIES)
    .map(([key, item]) => [key, copy(item, place)] as const);
  const left = entries.length - kept.length;
  return Object.fromEntries(left > 0 ? [...kept, ['…', `${left} more`]] : kept);
}

function copyList(items: readonly unknown[], place: Place): readonly unknown[] {
  const kept = items.slice(0, MOST_ENTRIES).map((item) => copy(item, place));
  return items.length > kept.length ? [...kept, `… ${items.length - kept.length} more`] : kept;
}
