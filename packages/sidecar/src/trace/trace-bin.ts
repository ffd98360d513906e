import { formatTraceparent, parseTraceparent, type TraceContext } from '@holdfast/core/trace';
import { headerValue } from '../flow/headers/header-value.ts';
import { NO_TRACE } from './tracing.ts';

/**
 * `grpc-trace-bin`, the form of OpenCensus in which gRPC of Dapr's hands traces
 * on: version, then fields 0 (16 bytes of trace id), 1 (8 bytes of span id) and
 * 2 (a byte of flags), each behind its number; as a header has it: base64 without padding.
 */
export function traceBin({ traceId, spanId, sampled }: TraceContext): string {
  const bytes = Buffer.alloc(29);
  bytes.write(traceId, 2, 'hex');
  bytes[18] = 1;
  bytes.write(spanId, 19, 'hex');
  bytes[27] = 2;
  bytes[28] = sampled ? 1 : 0;
  return bytes.toString('base64').slice(0, -1);
}

/**
 * Headers for an application over gRPC, with their `traceparent` in that form as well: Go's
 * tracing over gRPC read this one before there was a standard, and Dapr sends both.
 */
export function withTraceBin(headers: readonly string[]): readonly string[] {
  const given = headerValue(headers, 'traceparent');
  // In no trace is something to say as well, as in Dapr.
  const context = given === formatTraceparent(NO_TRACE) ? NO_TRACE : parseTraceparent(given);
  if (context === undefined) return headers;
  return [...headers, 'grpc-trace-bin', traceBin(context)];
}

/** The `traceparent` of a call's metadata: that of `grpc-trace-bin`, which comes first, or the one that is there. */
export function parentOf(
  bin: string | undefined,
  traceparent: string | undefined,
): string | undefined {
  return (
    (bin === undefined ? undefined : traceparentOfBin(Buffer.from(bin, 'base64'))) ?? traceparent
  );
}

function traceparentOfBin(bytes: Uint8Array): string | undefined {
  if (bytes.length < 29 || bytes[0] !== 0 || bytes[1] !== 0) return undefined;
  if (bytes[18] !== 1 || bytes[27] !== 2) return undefined;
  const hex = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
  const flags = hex.slice(56, 58);
  return `00-${hex.slice(4, 36)}-${hex.slice(38, 54)}-${flags}`;
}
