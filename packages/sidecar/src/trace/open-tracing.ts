import { type Clock, systemRandom } from '@holdfast/core';
import type { Logger } from '@holdfast/telemetry/log';
import type { SpanSink } from '@holdfast/telemetry/trace';
import type { Configuration } from '../resources/configuration.ts';
import { createTracing, type Tracing } from './tracing.ts';
import { withVariables } from './tracing-configuration.ts';

export interface OpenTracing extends Tracing {
  /** Sends what spans are left, for two seconds at most. */
  close(): Promise<void>;
}

/** Tracing as a Configuration and OpenTelemetry's variables want it; an exporter is loaded only where one is named. */
export async function openTracing(
  { samplingRate, samplingRateGiven, exports }: Configuration,
  surroundings: {
    readonly appId: string;
    readonly variables: Readonly<Record<string, string | undefined>>;
    readonly clock: Clock;
    readonly log: Logger;
  },
): Promise<OpenTracing> {
  const { appId, clock, log, variables } = surroundings;
  const { zipkinUrl, otlp, stdout } = withVariables(exports, variables);
  let sink: SpanSink | undefined;
  if (samplingRate > 0 && (zipkinUrl !== undefined || otlp !== undefined || stdout)) {
    const { openSpanSink } = await import('@holdfast/telemetry/trace-export');
    sink = await openSpanSink({
      serviceName: variables.OTEL_SERVICE_NAME ?? appId,
      resource: resourceOf(variables.OTEL_RESOURCE_ATTRIBUTES),
      zipkinUrl,
      otlp,
      write: stdout ? (line) => void process.stdout.write(`${line}\n`) : undefined,
      onProblem: (exporter, error) =>
        log.warn(`Spans could not be sent to ${exporter}; they are lost.`, {
          error: error instanceof Error ? error.message : String(error),
        }),
      clock,
    });
  }
  const transparent = sink === undefined && !samplingRateGiven;
  const tracing = createTracing({ samplingRate, random: systemRandom, clock, sink, transparent });
  return { ...tracing, close: async () => sink?.close() };
}

/** `key=value` pairs with commas between them, as OpenTelemetry's specification has it. */
function resourceOf(given: string | undefined): Readonly<Record<string, string>> {
  const pairs = (given ?? '').split(',').map((pair) => pair.split('=', 2));
  return Object.fromEntries(
    pairs.flatMap(([name, value]) => (name && value ? [[name, value]] : [])),
  );
}
