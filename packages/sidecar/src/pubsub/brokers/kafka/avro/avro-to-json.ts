import { AvroReader } from './avro-reader.ts';
import type { AvroType } from './avro-schema.ts';
import { goFloat } from './go-float.ts';

/** A few bytes may stand for a million values; more text than this is nobody's event. */
export const LONGEST_TEXT = 64 * 1024 * 1024;

const ESCAPES: Readonly<Record<string, string>> = {
  ...{ '"': '\\"', '\\': '\\\\', '/': '\\/', '\b': '\\b' },
  ...{ '\f': '\\f', '\n': '\\n', '\r': '\\r', '\t': '\\t' },
};

/**
 * As Dapr's library writes JSON: what is not ASCII is escaped, and the branch of a union goes
 * unnamed unless `named`. Fields come in the schema's order (in Dapr in any). What stands behind the value does not count.
 *
 * @throws Error where the bytes do not fit their schema.
 */
export function avroToJson(type: AvroType, bytes: Buffer, at: number, named: boolean): string {
  const writing = new Writing(new AvroReader(bytes, at), named);
  writing.value(type);
  return writing.text();
}

class Writing {
  readonly #from: AvroReader;
  readonly #named: boolean;
  readonly #pieces: string[] = [];
  #length = 0;

  constructor(from: AvroReader, named: boolean) {
    this.#from = from;
    this.#named = named;
  }

  text(): string {
    return this.#pieces.join('');
  }

  value(type: AvroType): void {
    switch (type.kind) {
      case 'null':
        this.#put('null');
        return;
      case 'boolean':
        this.#put(String(this.#from.boolean()));
        return;
      case 'int':
      case 'long':
        this.#put(String(this.#from.long()));
        return;
      case 'float':
        this.#put(goFloat(this.#from.float(), 32));
        return;
      case 'double':
        this.#put(goFloat(this.#from.double(), 64));
        return;
      case 'string':
        this.#put(quoted(this.#from.sized().toString()));
        return;
      case 'bytes':
        this.#put(quoted(this.#from.sized().toString('latin1')));
        return;
      case 'fixed':
        this.#put(quoted(this.#from.take(type.size).toString('latin1')));
        return;
      case 'enum':
        this.#put(quoted(this.#chosen(type.symbols, `enum "${type.name}"`)));
        return;
      case 'array':
        this.#blocks('[', ']', () => this.value(type.items));
        return;
      case 'map':
        this.#blocks('{', '}', () => {
          this.#put(`${quoted(this.#from.sized().toString())}:`);
          this.value(type.values);
        });
        return;
      case 'record':
        this.#put('{');
        for (const [at, field] of type.fields.entries()) {
          this.#put(`${at === 0 ? '' : ','}${quoted(field.name)}:`);
          this.value(field.type);
        }
        this.#put('}');
        return;
      case 'union': {
        const branch = this.#chosen(type.branches, 'union');
        const wrapped = this.#named && branch.kind !== 'null';
        if (wrapped) this.#put(`{${quoted(branch.name)}:`);
        this.value(branch);
        if (wrapped) this.#put('}');
      }
    }
  }

  #chosen<T>(from: readonly T[], what: string): T {
    const index = this.#from.long();
    const found = index >= 0n ? from[Number(index)] : undefined;
    if (found !== undefined) return found;
    throw new Error(
      `cannot decode binary ${what}: index ought to be between 0 and ${from.length - 1}; read index: ${index}`,
    );
  }

  #blocks(open: string, close: string, item: () => void): void {
    this.#put(open);
    let first = true;
    for (;;) {
      let count = this.#from.long();
      if (count === 0n) break;
      if (count < 0n) {
        // Its length in bytes, for those who want to leave it out.
        this.#from.long();
        count = -count;
      }
      for (let left = count; left > 0n; left -= 1n) {
        if (!first) this.#put(',');
        first = false;
        item();
      }
    }
    this.#put(close);
  }

  #put(piece: string): void {
    this.#length += piece.length;
    if (this.#length > LONGEST_TEXT) {
      throw new Error(`it is more than ${LONGEST_TEXT} characters of JSON`);
    }
    this.#pieces.push(piece);
  }
}

function quoted(text: string): string {
  return `"${text.replace(/[^ !#-.0-[\]-~]/g, escaped)}"`;
}

const escaped = (char: string): string =>
  ESCAPES[char] ?? `\\u${char.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`;
