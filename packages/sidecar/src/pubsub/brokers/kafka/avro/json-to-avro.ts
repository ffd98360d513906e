import type { AvroField, AvroType } from './avro-schema.ts';
import { AvroWriter } from './avro-writer.ts';
import { type ExactJson, exactJson, isList, isObject, JsonScalar } from './exact-json.ts';

/**
 * How the branch of a union is told: `tried`, as plain JSON has it, by the first that takes the
 * value; `named`, as Avro's own JSON has it, by an object around the value; `first`, as defaults have it.
 */
export type Unions = 'tried' | 'named' | 'first';

const WHOLE = /^-?(?:0|[1-9]\d*)$/;

/** @throws Error that says what does not fit its schema. */
export function jsonToAvro(type: AvroType, text: string, unions: 'tried' | 'named'): Buffer {
  const out = new AvroWriter();
  write(type, exactJson(text), unions, { out, misfits: new Map() });
  return out.all();
}

interface Writing {
  readonly out: AvroWriter;
  /** What did not fit: unions within unions would be tried in more ways than there is time for. */
  readonly misfits: Map<ExactJson, Set<AvroType>>;
}

function write(type: AvroType, json: ExactJson, unions: Unions, to: Writing): void {
  switch (type.kind) {
    case 'null':
      if (!isNull(json)) throw misfit(type, json);
      return;
    case 'boolean':
      if (!(json instanceof JsonScalar) || typeof json.value !== 'boolean')
        throw misfit(type, json);
      to.out.boolean(json.value);
      return;
    case 'int':
      to.out.long(whole(type, json, 32));
      return;
    case 'long':
      to.out.long(whole(type, json, 64));
      return;
    case 'float':
      to.out.float(real(type, json));
      return;
    case 'double':
      to.out.double(real(type, json));
      return;
    case 'string':
      to.out.sized(Buffer.from(text(type, json)));
      return;
    case 'bytes':
      to.out.sized(bytesOf(type, json));
      return;
    case 'fixed': {
      const bytes = bytesOf(type, json);
      if (bytes.length !== type.size) {
        throw new Error(
          `cannot decode textual fixed "${type.name}": datum size ought to equal schema size: ${bytes.length} != ${type.size}`,
        );
      }
      to.out.bytes(bytes);
      return;
    }
    case 'enum': {
      const at = type.symbols.indexOf(text(type, json));
      if (at < 0) {
        throw new Error(
          `cannot decode textual enum "${type.name}": value ought to be member of symbols: [${type.symbols.join(' ')}]; ${said(json)}`,
        );
      }
      to.out.long(at);
      return;
    }
    case 'array':
      if (!isList(json)) throw misfit(type, json);
      if (json.length > 0) to.out.long(json.length);
      for (const item of json) write(type.items, item, unions, to);
      to.out.long(0);
      return;
    case 'map': {
      if (!isObject(json)) throw misfit(type, json);
      const entries = Object.entries(json);
      if (entries.length > 0) to.out.long(entries.length);
      for (const [key, value] of entries) {
        to.out.sized(Buffer.from(key));
        write(type.values, value, unions, to);
      }
      to.out.long(0);
      return;
    }
    case 'record':
      writeRecord(type.name, type.fields, json, unions, to);
      return;
    case 'union':
      writeUnion(type.branches, json, unions, to);
  }
}

function writeRecord(
  name: string,
  fields: readonly AvroField[],
  json: ExactJson,
  unions: Unions,
  to: Writing,
): void {
  const wrong = (why: string) => new Error(`cannot decode textual record "${name}": ${why}`);
  if (!isObject(json)) throw wrong(`expected: '{'; actual: ${said(json)}`);
  const unknown = Object.keys(json).find((key) => !fields.some((field) => field.name === key));
  if (unknown !== undefined) {
    throw wrong(`cannot decode textual map: cannot determine codec: "${unknown}"`);
  }
  const missing = fields.filter(
    (field) => !Object.hasOwn(json, field.name) && field.byDefault === undefined,
  );
  if (missing.length > 0) {
    const names = missing.map((field) => field.name).join(', ');
    const found = fields.length - missing.length;
    throw wrong(`only found ${found} of ${fields.length} fields, without ${names}`);
  }
  for (const { byDefault, name: key, type } of fields) {
    const given = Object.hasOwn(json, key);
    try {
      if (given) write(type, json[key]!, unions, to);
      else write(type, byDefault!, 'first', to);
    } catch (error) {
      throw wrong(`${(error as Error).message} for key: "${key}"`);
    }
  }
}

function writeUnion(
  branches: readonly AvroType[],
  json: ExactJson,
  unions: Unions,
  to: Writing,
): void {
  const nothing = branches.findIndex(({ kind }) => kind === 'null');
  // A default may say "null" for null.
  const asks = unions === 'first' && nothing === 0 && !isObject(json) && !isList(json);
  if (nothing >= 0 && (isNull(json) || (asks && json.value === 'null'))) {
    to.out.long(nothing);
    return;
  }
  if (unions === 'first') {
    to.out.long(0);
    write(branches[0]!, json, unions, to);
    return;
  }
  if (unions === 'named') {
    writeNamed(branches, json, to);
    return;
  }
  // Within arrays of numbers and objects Dapr's library asks the branches by their names' order.
  const mayBe = sortedFor(json)
    ? branches.toSorted((a, b) => (a.name < b.name ? -1 : 1))
    : branches;
  const mark = to.out.mark;
  const misfits = to.misfits.get(json) ?? new Set();
  to.misfits.set(json, misfits);
  for (const branch of mayBe) {
    if (branch.kind === 'null' || misfits.has(branch)) continue;
    try {
      to.out.long(branches.indexOf(branch));
      write(branch, json, unions, to);
      return;
    } catch {
      // It is none of these; the next branch may have it.
      misfits.add(branch);
      to.out.goBack(mark);
    }
  }
  throw new Error(`could not decode any json data in input ${said(json)}`);
}

function writeNamed(branches: readonly AvroType[], json: ExactJson, to: Writing): void {
  const [name, ...more] = isObject(json) ? Object.keys(json) : [];
  const at = branches.findIndex((branch) => branch.name === name);
  if (name === undefined || more.length > 0 || at < 0 || !isObject(json)) {
    const names = branches.map((branch) => branch.name).join(' ');
    throw new Error(
      `cannot decode textual union: one of [${names}] must be named around ${said(json)}`,
    );
  }
  to.out.long(at);
  write(branches[at]!, json[name]!, 'named', to);
}

/** Numbers and objects; texts, booleans and arrays are asked for in the schema's order. */
function sortedFor(json: ExactJson): boolean {
  return json instanceof JsonScalar ? typeof json.value === 'number' : isObject(json);
}

const isNull = (json: ExactJson): boolean => json instanceof JsonScalar && json.value === null;

function whole(type: AvroType, json: ExactJson, bits: number): bigint {
  if (!(json instanceof JsonScalar) || typeof json.value !== 'number' || !WHOLE.test(json.source)) {
    throw misfit(type, json);
  }
  const value = BigInt(json.source);
  if (BigInt.asIntN(bits, value) === value) return value;
  throw new Error(`parsing "${json.source}": value out of range of ${type.kind}`);
}

/** `null` is no number, and 1e999 more than any. */
function real(type: AvroType, json: ExactJson): number {
  if (isNull(json)) return Number.NaN;
  if (json instanceof JsonScalar && typeof json.value === 'number') return json.value;
  throw misfit(type, json);
}

function text(type: AvroType, json: ExactJson): string {
  if (json instanceof JsonScalar && typeof json.value === 'string') return json.value;
  throw misfit(type, json);
}

/** An escaped `\u00e9` is one byte; what is not escaped counts as it came, in UTF-8. */
function bytesOf(type: AvroType, json: ExactJson): Buffer {
  const value = text(type, json);
  if (!/[^\0-\x7f]/.test(value)) return Buffer.from(value, 'latin1');
  const { source } = json as JsonScalar;
  const pieces = source.slice(1, -1).match(/\\u[0-9a-fA-F]{4}|\\.|[^\\]+/gs) ?? [];
  return Buffer.concat(
    pieces.map((piece) => {
      if (piece.startsWith('\\u')) return Buffer.of(Number.parseInt(piece.slice(4), 16));
      return Buffer.from(piece.startsWith('\\') ? (JSON.parse(`"${piece}"`) as string) : piece);
    }),
  );
}

function misfit({ kind }: AvroType, json: ExactJson): Error {
  return new Error(`cannot decode textual ${kind}: found ${said(json)}`);
}

function said(json: ExactJson): string {
  if (json instanceof JsonScalar) return json.source.slice(0, 100);
  return isList(json) ? 'an array' : 'an object';
}
