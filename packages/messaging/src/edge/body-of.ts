import { Readable } from 'node:stream';
import { type EdgeBody, type EdgeHeaders, type EdgeRequest, headerOf } from './edge-request.ts';
import { type BodyRead, type ReadLimits, readBody } from './read-body.ts';

/** A body and what is to be said of its bytes. */
export type EdgeBodyRead =
  | Exclude<BodyRead, { readonly kind: 'read' }>
  | { readonly kind: 'read'; readonly body: Uint8Array; readonly about: BodyHeaders };

export type BodyHeaders = Readonly<Record<string, string>>;

/** The bytes of a request's body, from the wire or from what a parser has left of them. */
export async function bodyOf(
  { body, headers }: EdgeRequest,
  limits: ReadLimits,
): Promise<EdgeBodyRead> {
  if (body instanceof Readable) {
    const length = headerOf(headers, 'content-length');
    // Not one byte of it is read. A length that is a lie in the other direction shows on reading.
    if (length !== undefined && Number(length) > limits.maxBodyBytes) return { kind: 'too-large' };
    const read = await readBody(body, limits);
    return read.kind === 'read' ? { ...read, about: aboutBytes(headers) } : read;
  }
  const parsed = parsedBody(body, headers);
  if (parsed.body.byteLength > limits.maxBodyBytes) return { kind: 'too-large' };
  return { kind: 'read', ...parsed };
}

function parsedBody(
  body: Exclude<EdgeBody, Readable>,
  headers: EdgeHeaders,
): { readonly body: Uint8Array; readonly about: BodyHeaders } {
  // Parsers undo compression: what is left has no encoding any more.
  const { 'content-type': type } = aboutBytes(headers);
  if (body === undefined) return { body: new Uint8Array(), about: typed(type) };
  if (body instanceof Uint8Array) return { body, about: typed(type) };
  if (typeof body === 'string') {
    // Text that was Latin-1 on the wire is UTF-8 from here on, and must not say otherwise.
    const utf8 = type?.replace(/;\s*charset=[^;]*/i, '; charset=utf-8');
    return { body: Buffer.from(body, 'utf8'), about: typed(utf8) };
  }
  return { body: Buffer.from(jsonOf(body)), about: typed('application/json') };
}

function jsonOf(body: unknown): string {
  let text: string | undefined;
  let why = `a ${typeof body} has no JSON`;
  try {
    text = JSON.stringify(body);
  } catch (error) {
    why = error instanceof Error ? error.message : String(error);
  }
  if (text !== undefined) return text;
  throw new TypeError(
    `What a parser made of the body cannot be kept: ${why}. Mount the edge before that parser.`,
  );
}

const typed = (type: string | undefined): BodyHeaders =>
  type === undefined ? {} : { 'content-type': type };

/** Headers that say how to read the bytes go along with them. */
function aboutBytes(headers: EdgeHeaders): Record<string, string> {
  const about: Record<string, string> = {};
  for (const name of ['content-type', 'content-encoding']) {
    const value = headerOf(headers, name);
    if (value !== undefined && value.length <= LONGEST_VALUE) about[name] = value;
  }
  return about;
}

/** A media type of a kilobyte is an attack on somebody. */
const LONGEST_VALUE = 255;
