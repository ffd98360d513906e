import { createRequire } from 'node:module';

/** What llhttp can do, as undici builds it. */
interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer };
  malloc(bytes: number): number;
  llhttp_alloc(type: number): number;
  llhttp_free(parser: number): void;
  llhttp_execute(parser: number, bytes: number, length: number): number;
  llhttp_finish(parser: number): number;
  llhttp_get_error_reason(parser: number): number;
}

/** Hears what a parser finds. What it throws reaches who gave the bytes; the parser is of no use then. */
export interface AnswerEvents {
  /** The first byte of an answer; false: none was asked for, which ends the parsing. */
  begin(): boolean;
  /** `raw` is `name, value, …` as they came. Of an interim answer as well; `REFUSE` ends the parsing. */
  head(status: number, raw: string[], keepAlive: boolean, upgrade: boolean): HeadVerdict;
  /** A view of the bytes that were given: to be copied if it is kept. */
  data(bytes: Buffer): void;
  end(): void;
}

/** What follows a head, in llhttp's numbers. */
export type HeadVerdict = typeof BODY | typeof NO_BODY | typeof REFUSE;
/** Whatever body the head says. */
export const BODY = 0;
/** None, whatever the head says. */
export const NO_BODY = 1;
export const REFUSE = -1;

/** llhttp's type of a parser of answers. */
const RESPONSE = 2;
/** undici's limit, and Node's. */
const MAX_HEAD_BYTES = 16 * 1024;
/** Bytes are parsed in steps of this at most: so much lies in the parser's own memory. */
const STEP_BYTES = 64 * 1024;

// One parser works at a time: it hears the bytes it is given before `parse` returns.
let llhttp: Exports | undefined;
let input = 0;
let view: Uint8Array = new Uint8Array(0);
let working: AnswerParser | undefined;
let bytes: Buffer = Buffer.alloc(0);
/** Where `bytes` would begin in the parser's memory, had it been laid there whole. */
let origin = 0;

/**
 * Parses the answers of one connection, one after another. The parser is
 * llhttp, Node's own, in the build that undici carries: what an answer may look
 * like is nothing to decide anew. The version is pinned, and the tests go
 * through this.
 */
export class AnswerParser {
  readonly #events: AnswerEvents;
  #parser: number;
  #raw: string[] = [];
  #headBytes = 0;

  constructor(events: AnswerEvents) {
    llhttp ??= load();
    this.#events = events;
    this.#parser = llhttp.llhttp_alloc(RESPONSE);
  }

  /** @throws Error for what is no answer, and whatever the events threw */
  parse(all: Buffer): void {
    for (let at = 0; at < all.length; at += STEP_BYTES) {
      const step = all.subarray(at, at + STEP_BYTES);
      const { memory, llhttp_execute: execute } = llhttp!;
      // The memory may have grown, and is another buffer then.
      if (view.buffer !== memory.buffer) view = new Uint8Array(memory.buffer, input, STEP_BYTES);
      view.set(step);
      bytes = all;
      origin = input - at;
      working = this;
      try {
        if (execute(this.#parser, input, step.length) !== 0) throw this.#error();
      } finally {
        working = undefined;
      }
    }
  }

  /** The connection has ended, which ends an answer without a length. Throws where it must not end yet. */
  finish(): void {
    working = this;
    try {
      if (llhttp!.llhttp_finish(this.#parser) !== 0) throw this.#error();
    } finally {
      working = undefined;
    }
  }

  /** Gives its memory back; not while it parses. */
  free(): void {
    if (this.#parser !== 0) llhttp!.llhttp_free(this.#parser);
    this.#parser = 0;
  }

  /** @internal */
  begin(): boolean {
    return this.#events.begin();
  }

  /** @internal */
  field(text: string): void {
    const { length } = this.#raw;
    if ((length & 1) === 0) this.#raw.push(text);
    else this.#raw[length - 1] += text;
  }

  /** @internal */
  value(text: string): void {
    const { length } = this.#raw;
    if ((length & 1) === 1) this.#raw.push(text);
    else this.#raw[length - 1] += text;
  }

  /** @internal */
  tooLong(more: number): boolean {
    this.#headBytes += more;
    return this.#headBytes >= MAX_HEAD_BYTES;
  }

  /** @internal */
  head(status: number, keepAlive: boolean, upgrade: boolean): HeadVerdict {
    const raw = this.#raw;
    this.#raw = [];
    this.#headBytes = 0;
    return this.#events.head(status, raw, keepAlive, upgrade);
  }

  /** @internal */
  data(part: Buffer): void {
    this.#events.data(part);
  }

  /** @internal */
  end(): void {
    // Of trailers, which nobody asked for.
    this.#raw = [];
    this.#headBytes = 0;
    this.#events.end();
  }

  #error(): Error {
    if (this.#headBytes >= MAX_HEAD_BYTES) return new Error('Headers Overflow Error');
    const { memory, llhttp_get_error_reason: reasonOf } = llhttp!;
    const reason = Buffer.from(memory.buffer, reasonOf(this.#parser));
    const text = reason.toString('latin1', 0, reason.indexOf(0));
    return new Error(`Response does not match the HTTP/1.1 protocol (${text})`);
  }
}

/** As far as it is used: its types are the browser's. */
interface Wasm {
  readonly Module: new (code: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: unknown };
}

function load(): Exports {
  const { Module, Instance } = (globalThis as unknown as { WebAssembly: Wasm }).WebAssembly;
  const require = createRequire(import.meta.url);
  const compile = (name: string) => new Module(require(`undici/lib/llhttp/${name}.js`));
  let compiled: object;
  try {
    compiled = compile('llhttp_simd-wasm');
  } catch {
    // No SIMD on this machine.
    compiled = compile('llhttp-wasm');
  }
  const loaded = new Instance(compiled, { env: CALLBACKS }).exports as Exports;
  input = loaded.malloc(STEP_BYTES);
  return loaded;
}

/** Of a status line, and of requests. */
const overlooked = (): number => 0;

const CALLBACKS = {
  wasm_on_url: overlooked,
  wasm_on_status: overlooked,
  wasm_on_message_begin: (): number => (working!.begin() ? 0 : REFUSE),
  wasm_on_header_field(_parser: number, at: number, length: number): number {
    if (working!.tooLong(length)) return REFUSE;
    working!.field(bytes.toString('latin1', at - origin, at - origin + length));
    return 0;
  },
  wasm_on_header_value(_parser: number, at: number, length: number): number {
    if (working!.tooLong(length)) return REFUSE;
    working!.value(bytes.toString('latin1', at - origin, at - origin + length));
    return 0;
  },
  wasm_on_headers_complete(
    _parser: number,
    status: number,
    upgrade: number,
    keepAlive: number,
  ): number {
    return working!.head(status, keepAlive === 1, upgrade === 1);
  },
  wasm_on_body(_parser: number, at: number, length: number): number {
    working!.data(bytes.subarray(at - origin, at - origin + length));
    return 0;
  },
  wasm_on_message_complete(): number {
    working!.end();
    return 0;
  },
};
