import { type LiveMetrics, liveMetrics, NO_LIVE_METRICS } from '../metrics/live-metrics.ts';
import type { Configuration } from '../resources/configuration.ts';
import { type LiveResources, openResources } from '../resources/live-resources.ts';
import { type OpenTracing, openTracing } from '../trace/open-tracing.ts';
import type { StartEnv } from './start-env.ts';

/** What the files say, and the telemetry that they ask for. */
export interface Configured {
  readonly live: LiveResources;
  /** The Configuration as it is now: what is looked up at each call is looked up here. */
  readonly inForce: { now: Configuration };
  readonly metrics: LiveMetrics;
  readonly tracing: OpenTracing;
}

/** @throws ConfigurationFileError for a Configuration that cannot be read. */
export async function openConfigured(env: StartEnv): Promise<Configured> {
  const { clock, closing, log, options, variables } = env;
  const { appId, givenNamespace } = options;
  const live = await openResources({ ...options, variables, clock, log });
  closing.last(() => live.close());
  const { configuration } = live.first;
  for (const keys of configuration.ignored) log.warn(`${keys}: without effect in this version.`);
  for (const warning of configuration.warnings) log.warn(warning);
  const metrics = options.enableMetrics
    ? liveMetrics(appId, givenNamespace, configuration.metrics, log)
    : NO_LIVE_METRICS;
  const tracing = await openTracing(configuration, { appId, variables, clock, log });
  closing.last(() => tracing.close());
  return { live, inForce: { now: configuration }, metrics, tracing };
}
