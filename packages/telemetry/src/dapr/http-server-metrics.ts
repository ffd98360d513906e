import { BoundedCache } from '../bounded-cache.ts';
import { DAPR_LATENCY_BUCKETS_MS, DAPR_SIZE_BUCKETS_BYTES } from '../metrics/buckets.ts';
import { type Family, OVERFLOW, type Relabel } from '../metrics/family.ts';
import type { Metrics } from '../metrics/metrics.ts';
import type { Counter, Histogram } from '../metrics/series.ts';

export interface HttpServerMetricsOptions {
  readonly appId: string;
  /** Paths told apart per verb; the rest share one named `overflow`. @default 200 (1 …) */
  readonly maxPaths?: number;
  /** @default Dapr's */
  readonly latencyBucketsMs?: readonly number[];
  /** Whether answers have a count of their own beside that of requests, as Dapr's have where paths are told apart. @default true */
  readonly responses?: boolean;
}

/** One exchange that has ended. Durations are in milliseconds. */
export interface ExchangeCounts {
  readonly status: number;
  readonly latencyMs: number;
  /** Size of the request's body. */
  readonly requestBytes: number;
  /** Size of the response's body. */
  readonly responseBytes: number;
}

/** The series of one verb and path, to be kept where the path is known: a request then looks nothing up. */
export interface RouteMetrics {
  done(status: number, latencyMs: number, requestBytes: number, responseBytes: number): void;
}

/** Dapr's `dapr_http_server_*` (what the sidecar serves) and `dapr_http_client_*` (its calls of the app). */
export interface HttpServerMetrics {
  /** `path` as it is shown: cut keys and ids out of it before. */
  server(method: string, path: string): RouteMetrics;
  client(method: string, path: string): RouteMetrics;

  served(method: string, path: string, exchange: ExchangeCounts): void;
  called(method: string, path: string, exchange: ExchangeCounts): void;
}

/** And none, where they are not told apart. */
const VERBS = new Set(['', 'GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE']);

/** Registers the families. */
export function httpServerMetrics(
  metrics: Metrics,
  options: HttpServerMetricsOptions,
): HttpServerMetrics {
  const bucketsMs = options.latencyBucketsMs ?? DAPR_LATENCY_BUCKETS_MS;
  const server = routes(serverFamilies(metrics, options, bucketsMs), options, metrics.relabel);
  const client = routes(
    clientFamilies(metrics, options.appId, bucketsMs),
    options,
    metrics.relabel,
  );
  return {
    server,
    client,
    served: (method, path, e) =>
      server(method, path).done(e.status, e.latencyMs, e.requestBytes, e.responseBytes),
    called: (method, path, e) =>
      client(method, path).done(e.status, e.latencyMs, e.requestBytes, e.responseBytes),
  };
}

/** The same four measures on either side, under the names Dapr has for each. */
interface SideFamilies {
  readonly count: Family<Counter>;
  /** The same once more, where it is not the same series. */
  readonly answers?: Family<Counter> | undefined;
  readonly latency: Family<Histogram>;
  readonly requestBytes: (method: string, path: string) => Histogram;
  readonly responseBytes: Histogram;
}

const SENT_BYTES = 'dapr_http_client_sent_bytes';
const ROUTE_LABELS = ['app_id', 'method', 'path', 'status'];

function serverFamilies(
  metrics: Metrics,
  { appId, responses = true }: HttpServerMetricsOptions,
  bucketsMs: readonly number[],
) {
  const bytes = (name: string, help: string) =>
    metrics
      .histogram(`dapr_http_server_${name}`, help, ['app_id'], DAPR_SIZE_BUCKETS_BYTES)
      .labels(appId);
  const requestBytes = bytes('request_bytes', 'HTTP request body size in server.');
  const count = metrics.counter(
    'dapr_http_server_request_count',
    'Count of HTTP requests processed by the server.',
    ROUTE_LABELS,
  );
  // Dapr counts each request under both names, and in ours too they are of those that were answered.
  const name = 'dapr_http_server_response_count';
  const help = 'The number of HTTP responses.';
  // Under names of its own where its labels may differ.
  const relabelled = [name, count.name].some((one) =>
    ROUTE_LABELS.some((label) => metrics.relabel(one, label) !== undefined),
  );
  if (responses && !relabelled) metrics.alias(name, help, [count]);
  return {
    count,
    answers: responses && relabelled ? metrics.counter(name, help, ROUTE_LABELS) : undefined,
    latency: metrics.histogram(
      'dapr_http_server_latency',
      'HTTP request end-to-end latency in server, in milliseconds.',
      ROUTE_LABELS,
      bucketsMs,
    ),
    requestBytes: () => requestBytes,
    responseBytes: bytes('response_bytes', 'HTTP response body size in server.'),
  };
}

function clientFamilies(metrics: Metrics, appId: string, bucketsMs: readonly number[]) {
  const sent = metrics.histogram(
    SENT_BYTES,
    'Total bytes sent in request body.',
    ['app_id', 'method', 'path'],
    DAPR_SIZE_BUCKETS_BYTES,
  );
  return {
    count: metrics.counter(
      'dapr_http_client_completed_count',
      'Count of completed requests.',
      ROUTE_LABELS,
    ),
    latency: metrics.histogram(
      'dapr_http_client_roundtrip_latency',
      'End-to-end latency of calls of the application, in milliseconds.',
      ROUTE_LABELS,
      bucketsMs,
    ),
    requestBytes: (method: string, path: string) => sent.labels(appId, method, path),
    responseBytes: metrics
      .histogram(
        'dapr_http_client_received_bytes',
        'Total bytes received in response bodies.',
        ['app_id'],
        DAPR_SIZE_BUCKETS_BYTES,
      )
      .labels(appId),
  };
}

function routes(
  families: SideFamilies,
  { appId, maxPaths = 200 }: HttpServerMetricsOptions,
  relabel: Relabel,
) {
  const { answers, count, latency } = families;
  const names = [count.name, latency.name, answers?.name ?? count.name, SENT_BYTES];
  const many = names.some((name) => relabel(name, 'path') !== undefined);
  const verbs = new BoundedCache(
    VERBS.size,
    'UNKNOWN',
    (method: string) =>
      new BoundedCache(maxPaths, OVERFLOW, (path: string) => {
        return new Route(families, [appId, method, path]);
      }),
  );
  return (method: string, path: string): RouteMetrics => {
    const verb = VERBS.has(method) ? method : 'UNKNOWN';
    const paths = verbs.get(verb);
    // Paths that become one have no end before they do: found anew each time, by what they become.
    if (many && paths.full && !paths.has(path)) return new Route(families, [appId, verb, path]);
    return paths.get(path);
  };
}

/** Statuses told apart per route. */
const MAX_STATUSES = 64;
const REST = -1;

class Route implements RouteMetrics {
  readonly #requestBytes: Histogram;
  readonly #responseBytes: Histogram;
  readonly #statuses: BoundedCache<
    number,
    {
      readonly count: Counter;
      readonly answers: Counter | undefined;
      readonly latency: Histogram;
    }
  >;

  constructor(
    families: SideFamilies,
    labels: readonly [appId: string, method: string, path: string],
  ) {
    this.#requestBytes = families.requestBytes(labels[1], labels[2]);
    this.#responseBytes = families.responseBytes;
    this.#statuses = new BoundedCache(MAX_STATUSES, REST, (status) => {
      const values = [...labels, status === REST ? OVERFLOW : String(status)];
      return {
        count: families.count.labels(...values),
        answers: families.answers?.labels(...values),
        latency: families.latency.labels(...values),
      };
    });
  }

  done(status: number, latencyMs: number, requestBytes: number, responseBytes: number): void {
    const series = this.#statuses.get(status);
    series.count.inc();
    series.answers?.inc();
    // Dapr cuts its latencies to whole milliseconds; ours are exact, so the sum is right.
    series.latency.observe(latencyMs);
    this.#requestBytes.observe(requestBytes);
    this.#responseBytes.observe(responseBytes);
  }
}
