/** A value of JSON whose numbers and texts keep what was written. */
export type ExactJson = JsonScalar | readonly ExactJson[] | { readonly [name: string]: ExactJson };

/** JavaScript reads 9007199254740993 as another number, and "\u00e9" as it reads "é". */
export class JsonScalar {
  readonly value: null | boolean | number | string;
  /** As it was written. */
  readonly source: string;

  constructor(value: null | boolean | number | string, source: string) {
    this.value = value;
    this.source = source;
  }
}

/** @throws SyntaxError */
export function exactJson(text: string): ExactJson {
  return JSON.parse(text, exactly as (key: string, value: unknown) => unknown) as ExactJson;
}

function exactly(_key: string, value: unknown, { source }: { readonly source?: string }): unknown {
  // Arrays and objects have no source of their own.
  return source === undefined ? value : new JsonScalar(value as JsonScalar['value'], source);
}

export function isList(json: ExactJson | undefined): json is readonly ExactJson[] {
  return Array.isArray(json);
}

export function isObject(
  json: ExactJson | undefined,
): json is { readonly [name: string]: ExactJson } {
  return json !== undefined && !(json instanceof JsonScalar) && !isList(json);
}

/** A text; undefined where it is anything else. */
export function textOf(json: ExactJson | undefined): string | undefined {
  return json instanceof JsonScalar && typeof json.value === 'string' ? json.value : undefined;
}
