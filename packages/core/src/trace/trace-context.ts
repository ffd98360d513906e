/** Where a piece of work belongs in a trace, as W3C Trace Context says. */
export interface TraceContext {
  /** 32 hexadecimal digits, lower case, not all zero. */
  readonly traceId: string;
  /** 16 hexadecimal digits, lower case, not all zero: the caller's span, or one's own. */
  readonly spanId: string;
  /** Whether whoever began the trace records it. */
  readonly sampled: boolean;
  /** Whether whoever began the trace says that its id is random (level 2 of the standard); passed on. @default false */
  readonly random?: boolean;
  /** `tracestate` as it came; passed on unread. */
  readonly state?: string;
}

const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;

const SAMPLED = 1;
const RANDOM = 2;

/**
 * Reads a `traceparent` header; `undefined` when there is none or it breaks the
 * rules, and a new trace has to begin. Later versions are read as far as this
 * one goes, as the standard demands.
 */
export function parseTraceparent(value: string | undefined): TraceContext | undefined {
  const match = value === undefined ? null : TRACEPARENT.exec(value.trim());
  if (match === null) return undefined;
  const [, version, traceId = '', spanId = '', flags = '', rest] = match;
  if (version === 'ff' || (version === '00' && rest !== undefined)) return undefined;
  if (isZero(traceId) || isZero(spanId)) return undefined;
  const bits = Number.parseInt(flags, 16);
  const context = { traceId, spanId, sampled: (bits & SAMPLED) !== 0 };
  return (bits & RANDOM) === 0 ? context : { ...context, random: true };
}

/** Writes a `traceparent` header. */
export function formatTraceparent({ traceId, spanId, sampled, random }: TraceContext): string {
  return `00-${traceId}-${spanId}-0${(sampled ? SAMPLED : 0) | (random === true ? RANDOM : 0)}`;
}

/** Begins a trace. */
export function newTrace(sampled: boolean): TraceContext {
  return { traceId: randomHex(16), spanId: randomHex(8), sampled };
}

/** A span inside `parent`: the same trace, an id of its own. */
export function childOf(parent: TraceContext): TraceContext {
  return { ...parent, spanId: randomHex(8) };
}

/** Random bytes are drawn in bulk: asking for a few costs as much as asking for many. */
const drawn = new Uint8Array(4096);
let used = drawn.length;

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

function randomHex(bytes: number): string {
  if (used + bytes > drawn.length) {
    globalThis.crypto.getRandomValues(drawn);
    used = 0;
  }
  let hex = '';
  for (const end = used + bytes; used < end; used += 1) hex += HEX[drawn[used]!];
  // All zero means "no id". It comes once in 2^64 draws, and must not come at all.
  return isZero(hex) ? randomHex(bytes) : hex;
}

const isZero = (hex: string) => hex[0] === '0' && /^0+$/.test(hex);
