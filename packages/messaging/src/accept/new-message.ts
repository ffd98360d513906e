import { checkInteger } from '../check.ts';
import { SEALED_HEADER } from '../encrypted/sealed-mark.ts';
import { OutboxRefusedError } from '../errors.ts';
import type { NewMessage } from '../message.ts';
import type { AppendMessage } from '../store.ts';
import { newMessageId } from './message-id.ts';

/** Characters of an id, a topic or a key. */
export const LONGEST_NAME = 255;
const LONGEST_HEADERS_BYTES = 16_384;
const LONGEST_DELAY_MS = 10 * 366 * 86_400_000;
const NO_HEADERS: Readonly<Record<string, string>> = Object.freeze({});

/** Checks and completes a message as its author wrote it; throws before anything is kept. */
export function completeMessage(
  given: NewMessage,
  maxBodyBytes: number,
  wallMs: number,
): AppendMessage {
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
  const delayMs = delayOf(given, wallMs);
  const priority = priorityIn(given);
  const { lifetimeMs } = given;
  if (lifetimeMs !== undefined) checkInteger('message.lifetimeMs', lifetimeMs, 1, LONGEST_DELAY_MS);
  const message = { id: id ?? newMessageId(wallMs), topic, key, body, headers };
  const replaces = replacesIn(given);
  if (lifetimeMs !== undefined || replaces !== undefined) {
    const more = { ...(lifetimeMs !== undefined && { lifetimeMs }), ...(replaces && { replaces }) };
    return { ...message, delayMs, priority, ...more };
  }
  return delayMs === 0 && priority === 0 ? message : { ...message, delayMs, priority };
}

function delayOf({ dueAt, delayMs }: NewMessage, wallMs: number): number {
  if (dueAt === undefined) {
    if (delayMs !== undefined) checkInteger('message.delayMs', delayMs, 0, LONGEST_DELAY_MS);
    return delayMs ?? 0;
  }
  if (delayMs !== undefined) {
    throw new TypeError('message.dueAt and message.delayMs say the same thing: give one of them.');
  }
  const ahead = dueAt instanceof Date ? dueAt.getTime() - wallMs : Number.NaN;
  if (ahead <= LONGEST_DELAY_MS) return Math.max(0, Math.ceil(ahead));
  const found = dueAt instanceof Date && !Number.isNaN(ahead) ? dueAt.toISOString() : String(dueAt);
  throw new RangeError(`message.dueAt must be a Date up to 10 years ahead, not ${found}.`);
}

function priorityIn({ key, priority = 0 }: NewMessage): number {
  checkInteger('message.priority', priority, 0, 9);
  if (priority === 0 || key === undefined) return priority;
  throw new TypeError(
    'message.priority cannot go with message.key: messages of one key arrive in the order accepted. Leave one of them out.',
  );
}

function replacesIn({ replaces }: NewMessage): AppendMessage['replaces'] {
  if (replaces === undefined) return undefined;
  const { name, due = 'anew', maxWaitMs } = replaces;
  checkName('replaces.name', name);
  if (due !== 'anew' && due !== 'kept') {
    throw new RangeError(
      `message.replaces.due must be "anew" or "kept", not ${JSON.stringify(due)}.`,
    );
  }
  if (maxWaitMs === undefined) return { name, due };
  checkInteger('message.replaces.maxWaitMs', maxWaitMs, 1, LONGEST_DELAY_MS);
  return { name, due, maxWaitMs };
}

function bytesOf(body: unknown): Uint8Array {
  if (typeof body === 'string') return Buffer.from(body, 'utf8');
  if (body instanceof Uint8Array) return body;
  throw new TypeError(
    `message.body must be a string or a Uint8Array, not ${body === null ? 'null' : typeof body}. Serialise it first.`,
  );
}

/**
 * Whether a text can be a message's id, topic or key. Not every store and broker can keep U+0000 or
 * half a surrogate pair; and in a group commit the others of the group would pay for it.
 */
export function isName(value: unknown): value is string {
  return (
    typeof value === 'string' &&
    value !== '' &&
    value.length <= LONGEST_NAME &&
    !value.includes('\0') &&
    value.isWellFormed()
  );
}

/** Throws a `TypeError` for what cannot be a message's id, topic or key. */
export function checkName(field: string, value: unknown): void {
  if (isName(value)) return;
  if (typeof value === 'string' && value !== '' && value.length <= LONGEST_NAME) {
    throw new TypeError(
      `message.${field} must not hold U+0000 or half a surrogate pair: not every store and broker can keep it.`,
    );
  }
  const found = typeof value === 'string' ? `${value.length} characters` : `a ${typeof value}`;
  throw new TypeError(
    `message.${field} must be text of 1 to ${LONGEST_NAME} characters, not ${found}.`,
  );
}

function checkHeaders(headers: Readonly<Record<string, unknown>>): void {
  let bytes = 0;
  for (const [name, value] of Object.entries(headers)) {
    if (name === SEALED_HEADER) {
      throw new TypeError(
        `message.headers["${name}"] is Holdfast's own, and says that a body is encrypted: leave it out.`,
      );
    }
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
