import type { DeadLetter, HistoryEntry } from '../store.ts';

/** A dead letter as one line of JSON; the body as text where it is UTF-8, else as Base64. */
export function letterLine({ message, ...letter }: DeadLetter): string {
  const { id, topic, key, headers, body } = message;
  return JSON.stringify({ id, topic, key, headers, ...bodyFields(body), ...letter });
}

/** Reads such a line. Throws an `Error` that names the line's number, the field and what may stand there. */
export function parseLetterLine(line: string, number: number): DeadLetter {
  const wrong = (what: string) => new Error(`line ${number}: ${what}`);
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    throw wrong(`is not JSON (${(error as Error).message})`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw wrong('must be a JSON object, as `holdfast dead export` writes it');
  }
  const fields = value as Readonly<Record<string, unknown>>;
  const text = (name: string, fallback?: string): string => {
    const found = fields[name] ?? fallback;
    if (typeof found === 'string' && found !== '' && found.length <= 255) return found;
    throw wrong(`"${name}" must be text of 1 to 255 characters, not ${JSON.stringify(found)}`);
  };
  const count = (name: string): number => {
    const found = fields[name] ?? 0;
    if (Number.isSafeInteger(found) && Number(found) >= 0) return Number(found);
    throw wrong(`"${name}" must be a whole number from 0, not ${JSON.stringify(found)}`);
  };
  const { reason = '', key } = fields;
  if (typeof reason !== 'string') throw wrong('"reason" must be text');
  return {
    message: {
      id: text('id'),
      topic: text('topic'),
      key: key === undefined || key === null ? undefined : text('key'),
      headers: headersIn(fields.headers ?? {}, wrong),
      body: bodyIn(fields, wrong),
    },
    reason,
    deliveries: count('deliveries'),
    replays: count('replays'),
    deadForMs: count('deadForMs'),
    history: historyIn(fields.history ?? [], wrong),
  };
}

type Wrong = (what: string) => Error;

function bodyFields(body: Uint8Array): { body: string } | { bodyBase64: string } {
  try {
    return { body: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body) };
  } catch {
    return { bodyBase64: Buffer.from(body).toString('base64') };
  }
}

function bodyIn(fields: Readonly<Record<string, unknown>>, wrong: Wrong): Uint8Array {
  const { body, bodyBase64 } = fields;
  if (typeof body === 'string') return Buffer.from(body, 'utf8');
  if (typeof bodyBase64 === 'string' && /^[A-Za-z0-9+/]*={0,2}$/.test(bodyBase64)) {
    return Buffer.from(bodyBase64, 'base64');
  }
  throw wrong('"body" must be text, or "bodyBase64" Base64');
}

function headersIn(value: unknown, wrong: Wrong): Readonly<Record<string, string>> {
  const good =
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    Object.values(value).every((each) => typeof each === 'string');
  if (good) return value as Record<string, string>;
  throw wrong('"headers" must be an object of texts');
}

function historyIn(value: unknown, wrong: Wrong): readonly HistoryEntry[] {
  const entry = (each: unknown): boolean => {
    const { at, what, detail } = (each ?? {}) as Readonly<Record<string, unknown>>;
    return [at, what, detail].every((part) => typeof part === 'string');
  };
  if (Array.isArray(value) && value.every(entry)) return value as HistoryEntry[];
  throw wrong('"history" must be a list of { at, what, detail }');
}
