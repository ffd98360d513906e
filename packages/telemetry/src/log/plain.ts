/** Deeper than this a value is cut: logs are read by people. */
const DEEPEST = 6;
/** More entries of one object or list than this are left out. */
const MOST_ENTRIES = 100;
/** Longer texts are cut. */
const LONGEST_TEXT = 8_192;

/**
 * A copy of `value` that `JSON.stringify` can write, whatever it was: big
 * integers become decimal text, errors an object with their code and causes,
 * cycles and great depths a word in brackets. Getters that throw are said to.
 */
export function plain(value: unknown): unknown {
  return copy(value, []);
}

function copy(value: unknown, path: readonly object[]): unknown {
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
      return value === null ? null : copyObject(value, path);
  }
}

function copyObject(value: object, path: readonly object[]): unknown {
  if (path.includes(value)) return '[circular]';
  if (path.length >= DEEPEST) return '[too deep]';
  const inside = [...path, value];
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

function copyError(error: Error, path: readonly object[]): unknown {
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
    path,
  );
}

function copyEntries(
  entries: readonly (readonly [string, unknown])[],
  path: readonly object[],
): Record<string, unknown> {
  const kept = entries
    .slice(0, MOST_ENTRIES)
    .map(([key, item]) => [key, copy(item, path)] as const);
  const left = entries.length - kept.length;
  return Object.fromEntries(left > 0 ? [...kept, ['…', `${left} more`]] : kept);
}

function copyList(items: readonly unknown[], path: readonly object[]): readonly unknown[] {
  const kept = items.slice(0, MOST_ENTRIES).map((item) => copy(item, path));
  return items.length > kept.length ? [...kept, `… ${items.length - kept.length} more`] : kept;
}
