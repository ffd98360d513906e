import { parseTraceparent, type TraceContext } from '@holdfast/core/trace';

/**
 * `grpc-trace-bin`, the form of OpenCensus in which gRPC of Dapr's hands traces
 * on: version, then fields 0 (16 bytes of trace id), 1 (8 bytes of span id) and
 * 2 (a byte of flags), each behind its number.
 */
export function traceBin({ traceId, spanId, sampled }: TraceContext): Buffer {
  const bytes = Buffer.alloc(29);
  bytes.write(traceId, 2, 'hex');
  bytes[18] = 1;
  bytes.write(spanId, 19, 'hex');
  bytes[27] = 2;
  bytes[28] = sampled ? 1 : 0;
  return bytes;
}

/** A `traceparent` in that form, as gRPC's metadata have bytes; undefined for what is none. */
export function traceBinOf(traceparent: string): string | undefined {
  const context = parseTraceparent(traceparent);
  return context === undefined
    ? undefined
    : traceBin(context).toString('base64').replace(/=+$/, '');
}

/** The same as a `traceparent`; undefined for what is none. */
export function traceparentOfBin(bytes: Uint8Array): string | undefined {
  if (bytes.length < 29 || bytes[0] !== 0 || bytes[1] !== 0) return undefined;
  if (bytes[18] !== 1 || bytes[27] !== 2) return undefined;
  const hex = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
  const flags = hex.slice(56, 58);
  return `00-${hex.slice(4, 36)}-${hex.slice(38, 54)}-${flags}`;
}
