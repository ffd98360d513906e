import type { OutgoingCall } from './answer.ts';

/** A call whose body, if it has one, is here: as the text that goes on the wire. */
export interface RequestText {
  /** Latin1; with the body where that is short. */
  readonly text: string;
  /** What follows the text. */
  readonly body: Buffer | null;
  /** Only the head of an answer is wanted. */
  readonly headOnly: boolean;
}

/** Bodies up to this go along with the head as latin1 text, which keeps every byte: one write of one piece. */
const TEXT_BYTES = 16 * 1024;

/** Verbs of calls that usually have a body: those without one say that its length is 0. */
const WITH_BODY = new Set(['POST', 'PUT', 'PATCH', 'QUERY']);
/** Verbs of calls that have none, and say nothing of it. */
const WITHOUT_BODY = new Set(['GET', 'HEAD', 'DELETE', 'OPTIONS']);

// What may stand in a path and in a header's value; anything else could end it.
const BAD_PATH = /[^\u0021-\u00ff]/;
const BAD_VALUE = /[^\t\x20-\x7e\x80-\xff]/;
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** Names known to be good. What is seen first stays; bounded. */
const good = new Set<string>();
const GOOD_LIMIT = 512;
/** Whoever names one of these asks for more than one plain exchange. */
const SPECIAL = new Set([
  'connection',
  'expect',
  'host',
  'keep-alive',
  'transfer-encoding',
  'upgrade',
]);

/**
 * Writes a plain call as HTTP/1.1. Undefined for one that is not plain, or that
 * cannot be written at all: a body that streams, a verb that means something
 * for its connection, headers that contradict each other or hold what could end them.
 */
export function requestText(call: OutgoingCall, host: string): RequestText | undefined {
  const { method, path, headers } = call;
  if (call.body !== null && !Buffer.isBuffer(call.body)) return undefined;
  const body = call.body === null || call.body.length === 0 ? null : call.body;
  const withBody = WITH_BODY.has(method);
  if (!withBody && (body !== null || !WITHOUT_BODY.has(method))) return undefined;
  if (path[0] !== '/' || BAD_PATH.test(path)) return undefined;
  const length = body === null ? 0 : body.length;

  // HTTP/1.1 keeps connections without a word of it, and Dapr's applications see none either.
  let text = `${method} ${path} HTTP/1.1\r\nhost: ${host}\r\n`;
  let lengths = 0;
  for (let at = 0; at + 1 < headers.length; at += 2) {
    const name = headers[at]!;
    const value = headers[at + 1]!;
    if (name === 'content-length') {
      lengths += 1;
      if (lengths > 1 || value !== String(length)) return undefined;
      continue;
    }
    if (!isGood(name) || BAD_VALUE.test(value)) return undefined;
    text += `${name}: ${value}\r\n`;
  }
  text += withBody ? `content-length: ${length}\r\n\r\n` : '\r\n';
  const headOnly = method === 'HEAD';
  if (body !== null && length <= TEXT_BYTES)
    return { text: text + body.toString('latin1'), body: null, headOnly };
  return { text, body, headOnly };
}

function isGood(name: string): boolean {
  if (good.has(name)) return true;
  if (!TOKEN.test(name) || SPECIAL.has(name.toLowerCase())) return false;
  if (name.toLowerCase() === 'content-length') return false;
  if (good.size < GOOD_LIMIT && name.length <= 64) good.add(name);
  return true;
}
