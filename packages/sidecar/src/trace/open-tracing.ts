import { type Clock, systemRandom } from '@holdfast/core';
import type { Logger } from '@holdfast/telemetry/log';
import type { SpanKind, SpanSink } from '@holdfast/telemetry/trace';
import { proxyOf } from '../egress/proxy-of.ts';
import type { Configuration } from '../resources/configuration.ts';
import { createTracing, type Span, type Tracing } from './tracing.ts';
import { withVariables } from './tracing-configuration.ts';

/** What a Configuration says of tracing. */
export type TracingSettings = Pick<Configuration, 'samplingRate' | 'samplingRateGiven' | 'exports'>;

/** Tracing as the Configuration in force and OpenTelemetry's variables want it. */
export interface OpenTracing extends Tracing {
  /** From now on as another Configuration says. Spans that have begun go where they were to go. */
  follow(settings: TracingSettings): Promise<void>;
  /** Sends what spans are left, for two seconds at most. */
  close(): Promise<void>;
}

interface Surroundings {
  readonly appId: string;
  readonly variables: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly log: Logger;
}

/** An exporter is loaded only where one is named. */
export async function openTracing(
  settings: TracingSettings,
  surroundings: Surroundings,
): Promise<OpenTracing> {
  const tracing = new LiveTracing(surroundings);
  await tracing.follow(settings);
  return tracing;
}

class LiveTracing implements OpenTracing {
  readonly #surroundings: Surroundings;
  #current: Tracing = OFF;
  #exports: string | undefined;
  #sink: SpanSink | undefined;
  #samplingRate: number | undefined;

  constructor(surroundings: Surroundings) {
    this.#surroundings = surroundings;
  }

  get on(): boolean {
    return this.#current.on;
  }

  begin(
    name: string,
    kind: SpanKind,
    traceparent: string | undefined,
    tracestate: string | undefined,
  ): Span | undefined {
    return this.#current.begin(name, kind, traceparent, tracestate);
  }

  async follow({ exports, samplingRate, samplingRateGiven }: TracingSettings): Promise<void> {
    const { clock, log, variables } = this.#surroundings;
    const wanted = samplingRate > 0 ? withVariables(exports, variables) : undefined;
    const before = this.#sink;
    const written = JSON.stringify(wanted);
    if (written !== this.#exports) {
      this.#sink = wanted && (await openSink(wanted, this.#surroundings));
      this.#exports = written;
    }
    const sink = this.#sink;
    this.#current = createTracing({
      samplingRate,
      random: systemRandom,
      clock,
      sink,
      transparent: sink === undefined && !samplingRateGiven,
    });
    if (samplingRate !== this.#samplingRate) {
      // The line is daprd's, which operators look for.
      log.info(`Dapr trace sampler initialized: ${samplerOf(samplingRate)}`);
      this.#samplingRate = samplingRate;
    }
    // It sends what it has; a span that ends after that is lost, as when the sidecar ends.
    if (before !== sink) void before?.close();
  }

  async close(): Promise<void> {
    await this.#sink?.close();
  }
}

/** What OpenTelemetry calls it: who began a trace has decided, and of those begun here so many are sampled. */
function samplerOf(rate: number): string {
  const root = rate >= 1 ? 'AlwaysOnSampler' : `TraceIDRatioBased{${rate}}`;
  const remote = 'remoteParentSampled:AlwaysOnSampler,remoteParentNotSampled:AlwaysOffSampler';
  const local = 'localParentSampled:AlwaysOnSampler,localParentNotSampled:AlwaysOffSampler';
  return `ParentBased{root:${root},${remote},${local}}`;
}

const OFF: Tracing = { on: false, begin: () => undefined };

async function openSink(
  exports: ReturnType<typeof withVariables>,
  { appId, clock, log, variables }: Surroundings,
): Promise<SpanSink | undefined> {
  const { stdout, zipkinUrl } = exports;
  // The addresses are in neither message: there may be a password in them.
  if (zipkinUrl !== undefined && !hasHost(zipkinUrl)) {
    throw new RangeError(
      'failed to setup tracing: spec.tracing.zipkin.endpointAddress of the Configuration has no scheme or host; write a URL such as http://localhost:9411/api/v2/spans.',
    );
  }
  let { otlp } = exports;
  if (otlp !== undefined && !hasHost(otlp.url)) {
    // daprd starts too, and its collector never hears of it.
    log.warn(
      'Spans are not sent to otlp: spec.tracing.otel.endpointAddress of the Configuration, or OTEL_EXPORTER_OTLP_ENDPOINT, is no address; write HOST:PORT or a URL.',
    );
    otlp = undefined;
  }
  if (zipkinUrl === undefined && otlp === undefined && !stdout) return undefined;
  const { openSpanSink } = await import('@holdfast/telemetry/trace-export');
  return openSpanSink({
    serviceName: variables.OTEL_SERVICE_NAME ?? appId,
    resource: resourceOf(variables.OTEL_RESOURCE_ATTRIBUTES),
    zipkinUrl,
    otlp,
    proxyOf: proxyOf(variables),
    write: stdout ? (line) => void process.stdout.write(`${line}\n`) : undefined,
    onProblem: (exporter, error) =>
      log.warn(`Spans could not be sent to ${exporter}; they are lost.`, {
        error: error instanceof Error ? error.message : String(error),
      }),
    clock,
  });
}

/** Of `localhost:9411` the host would be read as the scheme. */
const hasHost = (url: string): boolean => URL.canParse(url) && new URL(url).host !== '';

/** `key=value` pairs with commas between them, as OpenTelemetry's specification has it. */
function resourceOf(given: string | undefined): Readonly<Record<string, string>> {
  const pairs = (given ?? '').split(',').map((pair) => pair.split('=', 2));
  return Object.fromEntries(
    pairs.flatMap(([name, value]) => (name && value ? [[name, value]] : [])),
  );
}
