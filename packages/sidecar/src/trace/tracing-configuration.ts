import { parseDuration } from '@holdfast/config';
import type { OtlpOptions } from '@holdfast/telemetry/trace-export';
import { at, isRecord, texts } from '../resources/resource-files.ts';

/** Where a Configuration has spans sent. */
export interface TracingExports {
  readonly zipkinUrl?: string | undefined;
  readonly otlp?: OtlpOptions | undefined;
  /** A line of JSON a span, on stdout. */
  readonly stdout: boolean;
}

export const NO_EXPORTS: TracingExports = { stdout: false };

type Variables = Readonly<Record<string, string | undefined>>;

/** Reads `spec.tracing` of a Configuration; a key it does not have leaves what was there. */
export function tracingExports(tracing: unknown, before: TracingExports): TracingExports {
  const zipkin = at(tracing, 'zipkin', 'endpointAddress');
  const stdout = at(tracing, 'stdout');
  return {
    zipkinUrl: typeof zipkin === 'string' && zipkin !== '' ? zipkin : before.zipkinUrl,
    otlp: otlp(at(tracing, 'otel')) ?? before.otlp,
    stdout: typeof stdout === 'boolean' ? stdout : before.stdout,
  };
}

function otlp(given: unknown): OtlpOptions | undefined {
  const address = at(given, 'endpointAddress');
  if (typeof address !== 'string' || address === '') return undefined;
  const timeoutMs = durationMs(at(given, 'timeout'));
  return {
    protocol: protocolOf(at(given, 'protocol')),
    url: withScheme(address, at(given, 'isSecure') !== false),
    headers: headersOf(at(given, 'headers')),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  };
}

/**
 * OpenTelemetry's variables fill in what the file leaves open, as in Dapr; those for traces win
 * over those for everything. Where the file names a collector, its protocol and whether it is
 * secure are the file's as well.
 */
export function withVariables(exports: TracingExports, variables: Variables): TracingExports {
  const of = (name: string) =>
    variables[`OTEL_EXPORTER_OTLP_TRACES_${name}`] ?? variables[`OTEL_EXPORTER_OTLP_${name}`];
  const file = exports.otlp;
  const endpoint = of('ENDPOINT');
  if (file === undefined && !endpoint) return exports;
  const place = file ?? {
    url: withScheme(endpoint!, of('INSECURE') !== 'true'),
    protocol: protocolOf(of('PROTOCOL')),
  };
  const timeoutMs = Number(of('TIMEOUT'));
  return {
    ...exports,
    otlp: {
      ...(timeoutMs > 0 ? { timeoutMs } : {}),
      ...place,
      headers:
        Object.keys(file?.headers ?? {}).length > 0
          ? file!.headers!
          : unescaped(headersOf(of('HEADERS'))),
    },
  };
}

/** In variables values are written as in an address: `Authorization=Basic%20abc`. */
const unescaped = (headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, readable(value)]));

function readable(value: string): string {
  try {
    return decodeURIComponent(value).trim();
  } catch {
    // A `%` that stands for itself: daprd does not start with it.
    return value;
  }
}

function protocolOf(given: unknown): 'grpc' | 'http' {
  return typeof given === 'string' && given.startsWith('http') ? 'http' : 'grpc';
}

function withScheme(address: string, secure: boolean): string {
  return address.includes('://') ? address : `${secure ? 'https' : 'http'}://${address}`;
}

/** `{ name, value }` entries of a list, as in Dapr's files, or `k=v` ones; or of one text with commas between them. */
function headersOf(given: unknown): Readonly<Record<string, string>> {
  if (isRecord(given)) return texts(given);
  const entries = Array.isArray(given) ? given : typeof given === 'string' ? given.split(',') : [];
  const pairs = entries.flatMap((entry) => {
    if (isRecord(entry)) {
      const { name, value } = entry;
      if (typeof name !== 'string' || name === '' || value === undefined) return [];
      return [[name, String(value)] as const];
    }
    return keyAndValue(String(entry));
  });
  return Object.fromEntries(pairs);
}

function keyAndValue(entry: string): readonly (readonly [string, string])[] {
  const equals = entry.indexOf('=');
  if (equals < 1) return [];
  return [[entry.slice(0, equals).trim(), entry.slice(equals + 1).trim()]];
}

/** As all durations of Dapr's files: `10s`, or milliseconds. */
function durationMs(given: unknown): number | undefined {
  if (given === undefined) return undefined;
  const parsed = parseDuration(String(given));
  return 'ms' in parsed && parsed.ms > 0 ? parsed.ms : undefined;
}
