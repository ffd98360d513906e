import { writeJson } from '../go-json/write-json.ts';
import { isCloudEvents } from './envelope.ts';
import { isJson, mediaType } from './media-type.ts';

/** Alphabet and padding of Base64, as far as they can be looked at one by one. */
const NOT_BASE64 = /[^A-Za-z0-9+/=\r\n]/;

/**
 * The event of a bulk entry as its content type has it: JSON as JSON, a text as it is, bytes from
 * Base64.
 *
 * @throws Error where they do not go together, in Dapr's words.
 */
export function eventBytes(event: unknown, contentType: string): Buffer {
  const type = mediaType(contentType);
  if (isJson(type) || isCloudEvents(type)) return Buffer.from(writeJson(event ?? null));
  if (typeof event === 'string') {
    if (type.startsWith('text/') || type === 'application/xml') return Buffer.from(event);
    if (type === 'application/octet-stream') return decoded(event);
  }
  throw new Error('mismatch between contentType and event');
}

/** `octect` is Dapr's. */
function decoded(text: string): Buffer {
  const bare = text.replaceAll(/[\r\n]/g, '');
  const stray = text.search(NOT_BASE64);
  const at = stray !== -1 ? stray : wrongEnd(bare);
  if (at === undefined) return Buffer.from(text, 'base64');
  throw new Error(
    `unable to decode base64 application/octect-stream data: illegal base64 data at input byte ${at}`,
  );
}

/** Where padding is missing, or stands where none may. */
function wrongEnd(text: string): number | undefined {
  const padding = text.indexOf('=');
  if (padding === -1) return text.length % 4 === 0 ? undefined : text.length - (text.length % 4);
  const whole = text.length % 4 === 0 && /^={1,2}$/.test(text.slice(padding));
  return whole && padding % 4 >= 2 ? undefined : padding;
}
