import { type Clock, systemClock } from '@holdfast/core';
import { BatchSpanProcessor, type SpanExporter } from '@opentelemetry/sdk-trace';
import { readableSpans } from './readable-span.ts';
import type { FinishedSpan, SpanSink } from './span.ts';
import { agentOf, byProxy, tunnelled } from './through-proxy.ts';
import { withVariables } from './with-variables.ts';

/** Where spans go; none of them: nowhere. */
export interface SpanSinkOptions {
  /** Names the process in every span (`service.name`). */
  readonly serviceName: string;
  /** More attributes of the process. @default none */
  readonly resource?: Readonly<Record<string, string>>;
  /** Zipkin's collector, with its path: `http://localhost:9411/api/v2/spans`. */
  readonly zipkinUrl?: string | undefined;
  readonly otlp?: OtlpOptions | undefined;
  /**
   * Through which proxy a collector is asked; of one over gRPC it is asked for an `https` address, as Go's
   * clients do. Over HTTP it takes a Node of 22.21, or 24.5 and later. @default through none
   */
  readonly proxyOf?: (url: URL) => URL | undefined;
  /** Receives each span as a line of JSON. */
  readonly write?: ((line: string) => void) | undefined;
  /** Hears of batches that could not be sent. They are gone: spans are no ledger. @default nobody */
  readonly onProblem?: (exporter: string, error: unknown) => void;
  readonly clock?: Clock;
  /** Spans that wait to be sent; more are dropped. @default 2_048 */
  readonly maxQueued?: number;
  /** Longest wait before a batch is sent. @default 5_000 ms, as in OpenTelemetry's specification */
  readonly delayMs?: number;
}

/** An OpenTelemetry collector. */
export interface OtlpOptions {
  readonly protocol: 'grpc' | 'http';
  /** `https://collector:4317`; for `http`, `/v1/traces` is added where it has no path. */
  readonly url: string;
  /** In place of those that OpenTelemetry's variables name. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Longest that one batch may take. @default 10_000 ms */
  readonly timeoutMs?: number;
}

const CLOSE_PATIENCE_MS = 2_000;

/**
 * Opens what sends spans to where the options say; undefined where they say
 * nothing. The exporters are loaded here and not before: who sends none carries none.
 */
export async function openSpanSink(options: SpanSinkOptions): Promise<SpanSink | undefined> {
  const { clock = systemClock, maxQueued = 2_048, delayMs = 5_000, onProblem } = options;
  const exporters = await openExporters(options);
  if (exporters.length === 0 && options.write === undefined) return undefined;
  const processors = exporters.map(
    ({ name, exporter }) =>
      new BatchSpanProcessor({
        exporter: onProblem === undefined ? exporter : reporting(name, exporter, onProblem),
        maxQueueSize: maxQueued,
        maxExportBatchSize: Math.min(512, maxQueued),
        scheduledDelayMillis: delayMs,
        exportTimeoutMillis: options.otlp?.timeoutMs ?? 10_000,
      }),
  );
  const readable = readableSpans(options.serviceName, options.resource ?? {});
  return {
    add(span) {
      options.write?.(JSON.stringify(lineOf(span)));
      if (processors.length === 0) return;
      const one = readable(span);
      for (const processor of processors) processor.onEnd(one);
    },
    async close(patienceMs = CLOSE_PATIENCE_MS) {
      const sent = Promise.allSettled(processors.map((processor) => processor.shutdown()));
      const patience = new AbortController();
      await Promise.race([sent, clock.sleep(patienceMs, patience.signal).catch(() => {})]);
      patience.abort();
    },
  };
}

interface NamedExporter {
  readonly name: string;
  readonly exporter: SpanExporter;
}

/** One whose proxy cannot be understood is told of, and sends nothing. */
async function openExporters({
  zipkinUrl,
  otlp,
  proxyOf = () => undefined,
  onProblem = () => {},
}: SpanSinkOptions): Promise<NamedExporter[]> {
  const exporters: NamedExporter[] = [];
  const add = async (
    name: string,
    url: URL,
    open: (proxy: URL | undefined) => Promise<SpanExporter>,
  ): Promise<void> => {
    let proxy: URL | undefined;
    try {
      proxy = proxyOf(url);
    } catch (error) {
      onProblem(name, error);
      return;
    }
    exporters.push({ name, exporter: await open(proxy) });
  };
  if (zipkinUrl !== undefined) {
    await add('zipkin', new URL(zipkinUrl), (proxy) => openZipkin(zipkinUrl, proxy));
  }
  if (otlp?.protocol === 'http') {
    const url = new URL(otlp.url);
    if (url.pathname === '/') url.pathname = '/v1/traces';
    await add('otlp', url, (proxy) => openOtlpHttp(url, otlp, proxy));
  } else if (otlp !== undefined) {
    const asked = new URL(`https://${new URL(otlp.url).host}`);
    await add('otlp', asked, (proxy) => openOtlpGrpc(otlp, proxy));
  }
  return exporters;
}

async function openZipkin(url: string, proxy: URL | undefined): Promise<SpanExporter> {
  const { ZipkinExporter } = await import('@opentelemetry/exporter-zipkin');
  const exporter = new ZipkinExporter({ url });
  if (proxy !== undefined) byProxy(exporter, new URL(url), proxy);
  return exporter;
}

async function openOtlpHttp(
  url: URL,
  { headers, timeoutMs = 10_000 }: OtlpOptions,
  proxy: URL | undefined,
): Promise<SpanExporter> {
  const { OTLPTraceExporter } = await import('@opentelemetry/exporter-trace-otlp-proto');
  const through = proxy === undefined ? {} : { httpAgentOptions: () => agentOf(url, proxy) };
  const given = { url: url.href, headers: headers ?? {}, timeoutMillis: timeoutMs, ...through };
  return withVariables(hiddenBy(headers), () => new OTLPTraceExporter(given));
}

async function openOtlpGrpc(
  { headers, timeoutMs = 10_000, url }: OtlpOptions,
  proxy: URL | undefined,
): Promise<SpanExporter> {
  const { OTLPTraceExporter } = await import('@opentelemetry/exporter-trace-otlp-grpc');
  // CommonJS: its names are on `default` alone, once it is bundled.
  const { default: grpc } = await import('@grpc/grpc-js');
  const metadata = new grpc.Metadata();
  for (const [name, value] of Object.entries(headers ?? {})) metadata.set(name, value);
  const given = { url, metadata, timeoutMillis: timeoutMs };
  const exporter = withVariables(hiddenBy(headers), () => new OTLPTraceExporter(given));
  return tunnelled(exporter, proxy);
}

/** Variables that would add to the headers given. */
const hiddenBy = (headers: OtlpOptions['headers']) =>
  headers === undefined
    ? {}
    : { OTEL_EXPORTER_OTLP_HEADERS: undefined, OTEL_EXPORTER_OTLP_TRACES_HEADERS: undefined };

function reporting(
  name: string,
  exporter: SpanExporter,
  onProblem: (exporter: string, error: unknown) => void,
): SpanExporter {
  return {
    export(spans, done) {
      exporter.export(spans, (result) => {
        if (result.code !== 0) onProblem(name, result.error ?? new Error('no reason given'));
        // Told to the processor as done: it would only shout the same into the void.
        done({ code: 0 });
      });
    },
    shutdown: () => exporter.shutdown(),
    forceFlush: () => exporter.forceFlush?.() ?? Promise.resolve(),
  };
}

function lineOf({ context, ...span }: FinishedSpan): object {
  return { trace_id: context.traceId, span_id: context.spanId, ...span };
}
