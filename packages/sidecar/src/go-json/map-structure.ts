import { isRecord } from '../resources/resource-files.ts';

/**
 * Reads a value that was JSON into fields as Go's `mapstructure` does, by which Dapr reads the
 * requests of a transaction: names in any letter case, null as nothing, all that is wrong in one text.
 */
export class MapReader {
  readonly #fields: ReadonlyMap<string, unknown>;
  readonly #prefix: string;
  readonly #errors: string[];

  private constructor(given: unknown, prefix: string, errors: string[]) {
    this.#prefix = prefix;
    this.#errors = errors;
    const entries = isRecord(given) ? Object.entries(given) : [];
    this.#fields = new Map(entries.map(([name, value]) => [name.toLowerCase(), value]));
  }

  /** @throws Error that says all that `read` found. */
  static read<T>(given: unknown, read: (reader: MapReader) => T): T {
    const value = given ?? {};
    if (!isRecord(value)) throw new Error(`'' expected a map, got '${kindOf(value)}'`);
    const errors: string[] = [];
    const result = read(new MapReader(value, '', errors));
    if (errors.length === 0) return result;
    const lines = errors.sort().map((one) => `* ${one}`);
    throw new Error(`${errors.length} error(s) decoding:\n\n${lines.join('\n')}`);
  }

  any(field: string): unknown {
    return this.#fields.get(field.toLowerCase());
  }

  string(field: string): string {
    return this.#string(`${this.#prefix}${field}`, this.any(field));
  }

  strings(field: string): Readonly<Record<string, string>> {
    const given = this.any(field) ?? {};
    if (!this.#isMap(field, given)) return {};
    const entries = Object.entries(given);
    return Object.fromEntries(
      entries.map(([name, one]) => [name, this.#string(`${this.#prefix}${field}[${name}]`, one)]),
    );
  }

  struct(field: string): MapReader {
    const given = this.any(field) ?? {};
    const fields = this.#isMap(field, given) ? given : {};
    return new MapReader(fields, `${this.#prefix}${field}.`, this.#errors);
  }

  #isMap(field: string, given: unknown): given is Record<string, unknown> {
    if (isRecord(given)) return true;
    this.#errors.push(`'${this.#prefix}${field}' expected a map, got '${kindOf(given)}'`);
    return false;
  }

  #string(name: string, given: unknown): string {
    if (typeof given === 'string') return given;
    if (given === null || given === undefined) return '';
    this.#errors.push(
      `'${name}' expected type 'string', got unconvertible type '${typeOf(given)}', value: '${shown(given)}'`,
    );
    return '';
  }
}

/** A value's kind, in Go's reflection. */
function kindOf(value: unknown): string {
  if (Array.isArray(value)) return 'slice';
  return typeof value === 'object' ? 'map' : typeOf(value);
}

function typeOf(value: unknown): string {
  if (typeof value === 'number') return 'float64';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'string') return 'string';
  return Array.isArray(value) ? '[]interface {}' : 'map[string]interface {}';
}

/** A value as Go's `%v` shows it. */
function shown(value: unknown): string {
  if (value === null) return '<nil>';
  if (Array.isArray(value)) return `[${value.map(shown).join(' ')}]`;
  if (typeof value !== 'object') return String(value);
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `map[${members.map(([name, one]) => `${name}:${shown(one)}`).join(' ')}]`;
}
