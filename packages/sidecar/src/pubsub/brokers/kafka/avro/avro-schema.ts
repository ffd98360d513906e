import { type ExactJson, exactJson, isList, isObject, JsonScalar, textOf } from './exact-json.ts';

/** A schema, read. Names are those that branches of a union go by. */
export type AvroType =
  | { readonly kind: AvroPrimitive; readonly name: string }
  | { readonly kind: 'fixed'; readonly name: string; readonly size: number }
  | { readonly kind: 'enum'; readonly name: string; readonly symbols: readonly string[] }
  | { readonly kind: 'array'; readonly name: 'array'; readonly items: AvroType }
  | { readonly kind: 'map'; readonly name: 'map'; readonly values: AvroType }
  | { readonly kind: 'record'; readonly name: string; readonly fields: readonly AvroField[] }
  | { readonly kind: 'union'; readonly name: 'union'; readonly branches: readonly AvroType[] };

export interface AvroField {
  readonly name: string;
  readonly type: AvroType;
  /** Of a union it is a value of the first branch. */
  readonly byDefault: ExactJson | undefined;
}

export type AvroPrimitive = (typeof PRIMITIVES)[number];

const PRIMITIVES = [
  ...(['null', 'boolean', 'int', 'long'] as const),
  ...(['float', 'double', 'bytes', 'string'] as const),
];

/** They change nothing in what is written, but with them a branch has another name, as in Dapr's library. */
const LOGICAL: readonly string[] = [
  ...['int.date', 'int.time-millis', 'long.time-micros'],
  ...['long.timestamp-millis', 'long.timestamp-micros', 'bytes.decimal'],
];

const NAME = /^[A-Za-z_]\w*$/;
const FULL_NAME = /^[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*$/;
/** More is nobody's event, and would be memory. */
const LARGEST_FIXED_BYTES = 1 << 24;

/** @throws Error that says what is wrong with it. */
export function avroSchema(text: string): AvroType {
  return new Reader().read(exactJson(text), '');
}

class Reader {
  /** By full name. */
  readonly #named = new Map<string, AvroType>();

  read(json: ExactJson, namespace: string): AvroType {
    if (isList(json)) return this.#union(json, namespace);
    const reference = textOf(json);
    if (reference !== undefined) return this.#reference(reference, namespace);
    if (!isObject(json))
      throw new Error(`a schema is a text, a list or an object, not ${said(json)}`);
    const kind = textOf(json.type);
    switch (kind) {
      case undefined:
        if (json.type === undefined) throw new Error('a schema has no type');
        return this.read(json.type, namespace);
      case 'record':
      case 'error':
        return this.#record(json, namespace);
      case 'enum':
        return this.#enum(json, namespace);
      case 'fixed':
        return this.#fixed(json, namespace);
      case 'array':
        return { kind, name: 'array', items: this.#inner(json, 'items', namespace) };
      case 'map':
        return { kind, name: 'map', values: this.#inner(json, 'values', namespace) };
      default:
        return logically(this.#reference(kind, namespace), textOf(json.logicalType));
    }
  }

  #inner(json: { readonly [name: string]: ExactJson }, key: string, namespace: string): AvroType {
    const inner = json[key];
    if (inner === undefined) throw new Error(`a schema of type ${textOf(json.type)} has no ${key}`);
    return this.read(inner, namespace);
  }

  #reference(name: string, namespace: string): AvroType {
    const primitive = PRIMITIVES.find((one) => one === name);
    if (primitive !== undefined) return { kind: primitive, name: primitive };
    const found = this.#named.get(fullName(name, namespace)) ?? this.#named.get(name);
    if (found !== undefined) return found;
    throw new Error(`unknown type name: "${name}"`);
  }

  #union(json: readonly ExactJson[], namespace: string): AvroType {
    const branches = json.map((one) => this.read(one, namespace));
    const names = new Set(branches.map(({ name }) => name));
    if (branches.length === 0) throw new Error('a union has no branches');
    if (names.size < branches.length || names.has('union')) {
      throw new Error(`a union has branches that are not told apart: ${[...names].join(', ')}`);
    }
    return { kind: 'union', name: 'union', branches };
  }

  #record(json: { readonly [name: string]: ExactJson }, namespace: string): AvroType {
    const name = nameOf(json, namespace);
    const fields: AvroField[] = [];
    // Known before its fields are read, which may name it.
    const record: AvroType = this.#know({ kind: 'record', name, fields });
    if (!isList(json.fields)) throw new Error(`record "${name}" has no list of fields`);
    const within = name.includes('.') ? name.slice(0, name.lastIndexOf('.')) : '';
    for (const field of json.fields) {
      const called = isObject(field) ? textOf(field.name) : undefined;
      if (!isObject(field) || called === undefined || !NAME.test(called)) {
        throw new Error(`record "${name}" has a field without a name`);
      }
      if (fields.some((other) => other.name === called)) {
        throw new Error(`record "${name}" has two fields ${called}`);
      }
      if (field.type === undefined) throw new Error(`field ${called} of "${name}" has no type`);
      const type = textOf(field.type);
      const read =
        type === undefined
          ? this.read(field.type, within)
          : // What is logical about it may stand beside the name of its type, as in Dapr's library.
            logically(this.#reference(type, within), textOf(field.logicalType));
      fields.push({ name: called, type: read, byDefault: field.default });
    }
    return record;
  }

  #enum(json: { readonly [name: string]: ExactJson }, namespace: string): AvroType {
    const name = nameOf(json, namespace);
    const symbols = isList(json.symbols) ? json.symbols.map(textOf) : [];
    const good = symbols.filter((one) => one !== undefined && NAME.test(one)) as string[];
    if (good.length === 0 || good.length < symbols.length) {
      throw new Error(`enum "${name}" has no list of symbols`);
    }
    return this.#know({ kind: 'enum', name, symbols: good });
  }

  #fixed(json: { readonly [name: string]: ExactJson }, namespace: string): AvroType {
    const name = nameOf(json, namespace);
    const size = json.size instanceof JsonScalar ? Number(json.size.value) : Number.NaN;
    if (!Number.isInteger(size) || size < 1 || size > LARGEST_FIXED_BYTES) {
      throw new Error(`fixed "${name}" must have a size from 1 to ${LARGEST_FIXED_BYTES}`);
    }
    return this.#know({ kind: 'fixed', name, size });
  }

  #know(type: AvroType): AvroType {
    if (this.#named.has(type.name)) throw new Error(`two types are called "${type.name}"`);
    this.#named.set(type.name, type);
    return type;
  }
}

function logically(type: AvroType, logical: string | undefined): AvroType {
  const name = `${type.kind}.${logical}`;
  return LOGICAL.includes(name) ? { kind: type.kind as AvroPrimitive, name } : type;
}

function nameOf(json: { readonly [name: string]: ExactJson }, enclosing: string): string {
  const name = textOf(json.name) ?? '';
  const full = fullName(name, textOf(json.namespace) ?? enclosing);
  if (FULL_NAME.test(full)) return full;
  throw new Error(`"${full}" can be no name of a type`);
}

const fullName = (name: string, namespace: string): string =>
  name.includes('.') || namespace === '' ? name : `${namespace}.${name}`;

const said = (json: ExactJson): string =>
  json instanceof JsonScalar ? json.source : JSON.stringify(json);
