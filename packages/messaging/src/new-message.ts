import { OutboxRefusedError } from './errors.ts';
import type { Message, NewMessage } from './message.ts';
import { newMessageId } from './message-id.ts';

const LONGEST_NAME = 255;
const LONGEST_HEADERS_BYTES = 16_384;
const NO_HEADERS: Readonly<Record<string, string>> = Object.freeze({});

/** Checks and completes a message as its author wrote it; throws before anything is kept. */
export function completeMessage(given: NewMessage, maxBodyBytes: number, wallMs: number): Message {
  const { id, topic, key, headers = NO_HEADERS } = given;
  checkName('topic', topic);
  if (id !== undefined) checkName('id', id);
  if (key !== undefined) checkName('key', key);
  if (headers !== NO_HEADERS) checkHeaders(headers);
  const body = bytesOf(given.body);
  if (body.byteLength > maxBodyBytes) {
    throw new OutboxRefusedError(
      'MESSAGE_TOO_LARGE',
      `The body of a message for "${topic}" has ${body.byteLength} bytes, of at most ${maxBodyBytes}.`,
    );
  }
  return { id: id ?? newMessageId(wallMs), topic, key, body, headers };
}

function bytesOf(body: unknown): Uint8Array {
  if (typeof body === 'string') return Buffer.from(body, 'utf8');
  if (body instanceof Uint8Array) return body;
  throw new TypeError(
    `message.body must be a string or a Uint8Array, not ${body === null ? 'null' : typeof body}. Serialise it first.`,
  );
}

function checkName(field: string, value: unknown): void {
  if (typeof value === 'string' && value !== '' && value.length <= LONGEST_NAME) return;
  const found = typeof value === 'string' ? `${value.length} characters` : `a ${typeof value}`;
  throw new TypeError(
    `message.${field} must be text of 1 to ${LONGEST_NAME} characters, not ${found}.`,
  );
}

function checkHeaders(headers: Readonly<Record<string, unknown>>): void {
  let bytes = 0;
  for (const [name, value] of Object.entries(headers)) {
    if (typeof value !== 'string') {
      throw new TypeError(`message.headers["${name}"] must be text, not a ${typeof value}.`);
    }
    bytes += name.length + value.length;
  }
  if (bytes <= LONGEST_HEADERS_BYTES) return;
  throw new RangeError(
    `message.headers have ${bytes} characters, of at most ${LONGEST_HEADERS_BYTES}.`,
  );
}
