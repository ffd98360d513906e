import type { IncomingMessage } from 'node:http';
import { isHopByHop } from '../../flow/headers/hop-by-hop.ts';
import { PREFACE } from './leave-http1.ts';

const FRAME_HEAD_BYTES = 9;
/** The longest frame that needs no agreement. */
const MAX_FRAME_BYTES = 16_384;
const SETTING_BYTES = 6;
const HEADERS = 1;
const SETTINGS = 4;
const CONTINUATION = 9;
const END_STREAM = 0x1;
const END_HEADERS = 0x4;
/** The request that asked for HTTP/2 is its first stream (RFC 7540 §3.2). */
const FIRST_STREAM = 1;

/** `HTTP2-Settings` as bytes; undefined for what is none. */
export function settingsOf(header: string): Buffer | undefined {
  if (!/^[\w-]*={0,2}$/.test(header)) return undefined;
  const settings = Buffer.from(header, 'base64url');
  return settings.length % SETTING_BYTES === 0 ? settings : undefined;
}

/**
 * Node's HTTP/2 cannot begin in the middle, with a request that came over
 * HTTP/1.1. So it is shown a client that has sent everything over HTTP/2: what
 * the real one sends first, preface and settings, with those of its header
 * before them, and then the request.
 *
 * Undefined: there is not enough of `sent` yet. @throws where it is not HTTP/2.
 */
export function withRequest(
  sent: Buffer,
  settings: Buffer,
  request: IncomingMessage,
): Buffer | undefined {
  const begun = sent.subarray(0, PREFACE.length);
  if (!begun.equals(PREFACE.subarray(0, begun.length))) throw new Error('no preface');
  if (sent.length < PREFACE.length + FRAME_HEAD_BYTES) return undefined;
  const frame = sent.subarray(PREFACE.length);
  const length = frame.readUIntBE(0, 3);
  if (frame[3] !== SETTINGS || length + settings.length > MAX_FRAME_BYTES) {
    throw new Error('no settings after the preface');
  }
  if (frame.length < FRAME_HEAD_BYTES + length) return undefined;
  const rest = frame.subarray(FRAME_HEAD_BYTES);
  return Buffer.concat([
    PREFACE,
    frameHead(settings.length + length, SETTINGS, frame[4]!, frame.readUInt32BE(5)),
    settings,
    rest.subarray(0, length),
    ...headerFrames(request),
    rest.subarray(length),
  ]);
}

function headerFrames(request: IncomingMessage): Buffer[] {
  const block = headerBlock(request);
  const frames: Buffer[] = [];
  for (let at = 0; at === 0 || at < block.length; at += MAX_FRAME_BYTES) {
    const part = block.subarray(at, at + MAX_FRAME_BYTES);
    const last = at + MAX_FRAME_BYTES >= block.length ? END_HEADERS : 0;
    const [type, flags] = at === 0 ? [HEADERS, last | END_STREAM] : [CONTINUATION, last];
    frames.push(frameHead(part.length, type, flags, FIRST_STREAM), part);
  }
  return frames;
}

function headerBlock({ method, rawHeaders, url }: IncomingMessage): Buffer {
  const parts = [literal(':method', method!), literal(':scheme', 'http'), literal(':path', url!)];
  const others: Buffer[] = [];
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]!.toLowerCase();
    const value = rawHeaders[at + 1]!;
    if (name === 'host') parts.push(literal(':authority', value));
    else if (!isHopByHop(name)) others.push(literal(name, value));
  }
  return Buffer.concat([...parts, ...others]);
}

/** As HPACK writes what it does not keep (RFC 7541 §6.2.2): both sides' tables stay as they are. */
function literal(name: string, value: string): Buffer {
  return Buffer.concat([Buffer.from([0]), text(name), text(value)]);
}

function text(given: string): Buffer {
  const bytes = Buffer.from(given, 'latin1');
  return Buffer.concat([integer(bytes.length), bytes]);
}

/** With a prefix of 7 bits (RFC 7541 §5.1); the eighth, of Huffman's code, is 0. */
function integer(value: number): Buffer {
  const limit = 0x7f;
  if (value < limit) return Buffer.from([value]);
  const bytes = [limit];
  let left = value - limit;
  for (; left >= 0x80; left = Math.floor(left / 0x80)) bytes.push((left % 0x80) | 0x80);
  return Buffer.from([...bytes, left]);
}

function frameHead(length: number, type: number, flags: number, stream: number): Buffer {
  const head = Buffer.alloc(FRAME_HEAD_BYTES);
  head.writeUIntBE(length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return head;
}
