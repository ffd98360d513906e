import { ApiError } from '../server/api-error.ts';

/** A call of an output binding as its JSON says it. */
export interface BindingBody {
  readonly operation: string;
  /** As JSON; undefined where there is none. */
  readonly data: Buffer | undefined;
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * Reads a body as Go reads it into Dapr's struct: names in any letter case, null
 * as nothing, and what has another type in Go's words.
 *
 * @throws ApiError
 */
export function bindingBody(body: Buffer): BindingBody {
  const given = parse(body);
  if (given !== null && kindOf(given) !== 'object') {
    throw mismatch(kindOf(given), 'value', 'http.OutputBindingRequest');
  }
  const fields = new Map(
    Object.entries(given ?? {}).map(([name, value]) => [name.toLowerCase(), value as unknown]),
  );
  const operation = fields.get('operation') ?? '';
  if (typeof operation !== 'string') throw mismatch(kindOf(operation), 'operation', 'string');
  const metadata = fields.get('metadata') ?? {};
  if (kindOf(metadata) !== 'object') {
    throw mismatch(kindOf(metadata), 'metadata', 'map[string]string');
  }
  const texts = Object.entries(metadata).map(([name, value]: [string, unknown]) => {
    const text = value ?? '';
    if (typeof text !== 'string') throw mismatch(kindOf(text), 'metadata', 'string');
    return [name, text] as const;
  });
  const data = fields.get('data');
  return {
    operation,
    data: data === undefined ? undefined : Buffer.from(JSON.stringify(data)),
    metadata: Object.fromEntries(texts),
  };
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch (error) {
    throw malformed(body.length === 0 ? 'EOF' : (error as Error).message);
  }
}

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  return typeof value === 'boolean' ? 'bool' : typeof value;
}

function mismatch(kind: string, field: string, wanted: string): ApiError {
  const where = field === 'value' ? 'value' : `struct field OutputBindingRequest.${field}`;
  return malformed(`json: cannot unmarshal ${kind} into Go ${where} of type ${wanted}`);
}

const malformed = (why: string) =>
  new ApiError(400, 'ERR_MALFORMED_REQUEST', `failed deserializing HTTP body: ${why}`);
