import type { AccessList } from '../access/access-list.ts';
import type { ApiRules } from '../access/api-rules.ts';
import { type DeniedComponent, readDeniedComponents } from '../access/denied-components.ts';
import { readAccessList } from '../access/read-access-list.ts';
import { readApiRules } from '../access/read-api-rules.ts';
import { NO_SECRET_SCOPES, readSecretScopes, type SecretScopes } from '../access/secret-scopes.ts';
import { type HandlerSpec, readHandlers } from '../middleware/open-pipeline.ts';
import { NO_EXPORTS, type TracingExports, tracingExports } from '../trace/tracing-configuration.ts';
import { type ApiLogging, NO_API_LOGGING, readApiLogging } from './api-logging.ts';
import { METRICS_SETTINGS, type MetricsSettings, readMetricsSettings } from './metrics-settings.ts';
import { Place } from './place.ts';
import { at, isRecord, type Resource } from './resource-files.ts';

/** How sidecars find each other. */
export interface NameResolutionSpec {
  readonly component: string;
  /** Absent: the first. */
  readonly version?: string | undefined;
  readonly configuration: Readonly<Record<string, unknown>>;
}

/** What this version takes from Dapr's `Configuration`. */
export interface Configuration {
  readonly nameResolution: NameResolutionSpec | undefined;
  /** 0 … 1; 0: tracing is off. */
  readonly samplingRate: number;
  /** A document says it. */
  readonly samplingRateGiven: boolean;
  /** Where spans are sent. */
  readonly exports: TracingExports;
  readonly metrics: MetricsSettings;
  /** Lines in the log for calls of the API. */
  readonly apiLogging: ApiLogging;
  /** Who may call what of our application; undefined: anybody everything. */
  readonly accessControl: AccessList | undefined;
  /** Which of our APIs are offered; undefined: all. */
  readonly apiRules: ApiRules | undefined;
  /** Which secrets the application may read. */
  readonly secretScopes: SecretScopes;
  /** Components that are not to be used. */
  readonly deniedComponents: readonly DeniedComponent[];
  /** Features that are switched on, for the metadata; of them only `HotReload` has an effect. */
  readonly features: readonly string[];
  /** Middleware before the API, and before the application. */
  readonly httpPipeline: readonly HandlerSpec[];
  readonly appHttpPipeline: readonly HandlerSpec[];
  /** What is in force and hardly meant so, as `file: spec.key …`. */
  readonly warnings: readonly string[];
  /** Keys that were given and have no effect, as `file: spec.key, …`. */
  readonly ignored: readonly string[];
}

const METRICS_KEYS = ['enabled', 'latencyDistributionBuckets', 'http', 'recordErrorCodes', 'rules'];

/** The keys that have an effect; of all others the log says that they have none. */
const KNOWN: Readonly<Record<string, readonly string[] | 'all'>> = {
  nameResolution: 'all',
  tracing: ['samplingRate', 'zipkin', 'otel', 'stdout'],
  metrics: METRICS_KEYS,
  metric: METRICS_KEYS,
  logging: ['apiLogging'],
  accessControl: 'all',
  api: ['allowed', 'denied'],
  secrets: ['scopes'],
  components: ['deny'],
  features: 'all',
  httpPipeline: ['handlers'],
  appHttpPipeline: ['handlers'],
};

/** Dapr's rate where the file says none, or nonsense. */
const DEFAULT_SAMPLING_RATE = 1e-4;

export const NO_CONFIGURATION: Configuration = {
  nameResolution: undefined,
  samplingRate: DEFAULT_SAMPLING_RATE,
  samplingRateGiven: false,
  exports: NO_EXPORTS,
  metrics: METRICS_SETTINGS,
  apiLogging: NO_API_LOGGING,
  accessControl: undefined,
  apiRules: undefined,
  secretScopes: NO_SECRET_SCOPES,
  deniedComponents: [],
  features: ['HotReload'],
  httpPipeline: [],
  appHttpPipeline: [],
  warnings: [],
  ignored: [],
};

/**
 * Merges the Configurations of all `--config` files; a later one wins, key by key.
 * `protocol` is what the application speaks: operations of gRPC have no verbs.
 */
export function mergeConfigurations(
  resources: readonly Resource[],
  env: Readonly<Record<string, string | undefined>>,
  protocol: 'http' | 'grpc' = 'http',
): Configuration {
  let merged = NO_CONFIGURATION;
  for (const { file, kind, document, locate } of resources) {
    if (kind !== 'Configuration') continue;
    const place = new Place(file, ['spec'], locate);
    const spec = expand(at(document, 'spec'), env);
    const rate = at(spec, 'tracing', 'samplingRate');
    const passedOver: string[] = [];
    const warn = (message: string) => void passedOver.push(message);
    const without = ignoredKeys(spec);
    const acl = readAccessList(at(spec, 'accessControl'), place.at('accessControl'), protocol);
    const api = readApiRules(at(spec, 'api'), place.at('api'));
    const handlers = (key: 'httpPipeline' | 'appHttpPipeline') =>
      readHandlers(at(spec, key), place.at(key)) ?? merged[key];
    merged = {
      nameResolution: nameResolution(at(spec, 'nameResolution')) ?? merged.nameResolution,
      samplingRate:
        rate === undefined
          ? merged.samplingRate
          : samplingRate(rate, place.at('tracing', 'samplingRate'), warn),
      samplingRateGiven: merged.samplingRateGiven || rate !== undefined,
      exports: tracingExports(at(spec, 'tracing'), merged.exports),
      // Both names may be said, and the second wins, key by key.
      metrics: ['metric', 'metrics'].reduce(
        (before, key) => readMetricsSettings(at(spec, key), place.at(key), before, warn),
        merged.metrics,
      ),
      apiLogging: readApiLogging(
        at(spec, 'logging', 'apiLogging'),
        place.at('logging', 'apiLogging'),
        merged.apiLogging,
      ),
      accessControl: acl.list ?? merged.accessControl,
      apiRules: api.rules ?? merged.apiRules,
      secretScopes:
        readSecretScopes(at(spec, 'secrets'), place.at('secrets')) ?? merged.secretScopes,
      deniedComponents:
        readDeniedComponents(at(spec, 'components'), place.at('components')) ??
        merged.deniedComponents,
      features: features(at(spec, 'features')) ?? merged.features,
      httpPipeline: handlers('httpPipeline'),
      appHttpPipeline: handlers('appHttpPipeline'),
      warnings: [...merged.warnings, ...acl.warnings, ...api.warnings, ...passedOver],
      ignored:
        without.length === 0
          ? merged.ignored
          : [...merged.ignored, `${file}: ${without.join(', ')}`],
    };
  }
  return merged;
}

function ignoredKeys(spec: unknown): readonly string[] {
  if (!isRecord(spec)) return [];
  return Object.entries(spec).flatMap(([key, value]) => {
    const known = KNOWN[key];
    if (known === undefined) return [`spec.${key}`];
    if (known === 'all' || !isRecord(value)) return [];
    return Object.keys(value).flatMap((inner) =>
      known.includes(inner) ? [] : [`spec.${key}.${inner}`],
    );
  });
}

function nameResolution(given: unknown): NameResolutionSpec | undefined {
  const component = at(given, 'component');
  if (typeof component !== 'string' || component === '') return undefined;
  const version = at(given, 'version');
  const configuration = at(given, 'configuration');
  return {
    component,
    ...(typeof version === 'string' && { version }),
    configuration: isRecord(configuration) ? configuration : {},
  };
}

/** Those that are on: what the last document says, and Dapr's own that it does not speak of. */
function features(given: unknown): readonly string[] | undefined {
  if (!Array.isArray(given)) return undefined;
  const said = given.flatMap((one) => {
    const name = at(one, 'name');
    return typeof name === 'string' ? [{ name, enabled: at(one, 'enabled') === true }] : [];
  });
  const unsaid = NO_CONFIGURATION.features.filter((one) => said.every(({ name }) => name !== one));
  return [...said.filter(({ enabled }) => enabled).map(({ name }) => name), ...unsaid];
}

function samplingRate(given: unknown, place: Place, warn: (message: string) => void): number {
  const rate = typeof given === 'string' && given.trim() === '' ? Number.NaN : Number(given);
  // More than all is all.
  if (rate >= 0) return Math.min(rate, 1);
  warn(
    `${place} is ${JSON.stringify(given)}, which is no number from 0 to 1: ${DEFAULT_SAMPLING_RATE} counts, as in daprd.`,
  );
  return DEFAULT_SAMPLING_RATE;
}

/** Replaces `$VAR` and `${VAR}` in every text and key, as Dapr does with the whole file. */
function expand(value: unknown, env: Readonly<Record<string, string | undefined>>): unknown {
  if (typeof value === 'string') return expandText(value, env);
  if (Array.isArray(value)) return value.map((item) => expand(item, env));
  if (!isRecord(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [expandText(key, env), expand(item, env)]),
  );
}

/** As Go's `os.Expand`: a shell's special names have one character, and a `$` before no name stays. */
function expandText(text: string, env: Readonly<Record<string, string | undefined>>): string {
  const name = /\$(?:\{(\w+|[*#$@!?-])\}|([*#$@!?0-9-])|(\w+))/g;
  return text.replace(name, (_, ...names: unknown[]) => {
    const known = names.slice(0, 3).find((one) => one !== undefined);
    return env[String(known)] ?? '';
  });
}
