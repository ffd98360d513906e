import type { ApiRules } from '../../access/api-rules.ts';
import type { Closing } from '../../closing.ts';
import { startMetricsServer } from '../../metrics/metrics-server.ts';
import { apiPipeline } from '../../middleware/api-pipeline.ts';
import type { Middleware } from '../../middleware/middleware.ts';
import type { ResolvedSidecarOptions } from '../../options.ts';
import type { ApiLogging } from '../../resources/api-logging.ts';
import type { ApiCall } from '../api-call.ts';
import { type ApiHandlerOptions, apiHandler } from '../api-handler.ts';
import { apiLog } from '../api-log.ts';
import { createRouter, type Route } from '../api-routes.ts';
import { createCors, isNoOrigin } from '../cors.ts';
import { type ApiServer, startApiServer } from './api-server.ts';
import { socketsOf } from './socket-paths.ts';

export interface DoorsOptions {
  readonly options: ResolvedSidecarOptions;
  readonly handling: Omit<ApiHandlerOptions, 'route' | 'logCall'>;
  /** Which calls have a line in the log; it may change. */
  readonly apiLogging: () => ApiLogging;
  /** Health and metadata: all that the public port answers. */
  readonly publicRoutes: readonly Route[];
  /** The rest of the API but invocation. */
  readonly ownRoutes: readonly Route[];
  readonly invoke: (call: ApiCall) => void;
  /** What requests pass before the routes. */
  readonly middleware: () => readonly Middleware[];
  /** Which APIs are offered; undefined: all. */
  readonly apiRules: () => ApiRules | undefined;
  /** What a scrape gets; undefined where metrics are off. */
  readonly metricsPage: (() => Promise<string>) | undefined;
  readonly closing: Closing;
}

/** Where clients come in. */
export interface Doors {
  readonly api: ApiServer;
  readonly metricsPort: number | undefined;
}

/** Go's server, and so daprd, grants this on top of what it is told about heads. */
const HEAD_GRACE_BYTES = 4096;

/** Listens for clients, for the public port's and for scrapes; one that cannot fails the start. */
export async function openDoors(doors: DoorsOptions): Promise<Doors> {
  const { options, handling, publicRoutes, ownRoutes, invoke, metricsPage, closing } = doors;
  const { apiLogging, apiRules, middleware } = doors;
  const { appId, listenAddresses: hosts, maxConnections } = options;
  const { publicListenAddress, publicPort } = options;
  for (const origin of options.allowedOrigins.filter(isNoOrigin)) {
    handling.log.warn(
      `--allowed-origins: no browser sends the origin "${origin}"; write scheme and host without a path, as in https://app.example.`,
    );
  }
  const invoked = (call: ApiCall): void => {
    call.reached = 'invocation';
    invoke(call);
  };
  const router = createRouter([...publicRoutes, ...ownRoutes], invoked, appId, apiRules);
  const maxHeaderBytes = options.readBufferBytes + HEAD_GRACE_BYTES;
  const listening = { hosts, maxHeaderBytes, maxConnections };

  const api = await startApiServer({
    ...listening,
    port: options.httpPort,
    socketPath: socketsOf(options)?.http,
    missing: (host) =>
      handling.log.warn(
        `--dapr-listen-addresses: this machine has no address ${host}; the API listens at the others.`,
      ),
    flag: '--dapr-http-port',
    // Not on the public port, as in daprd.
    h2c: options.h2c,
    onRequest: apiHandler({
      ...handling,
      cors: createCors(options.allowedOrigins),
      // As in daprd, calls of the public port have no lines.
      logCall: apiLog(handling.log, apiLogging),
      route: apiPipeline(middleware, (call) => {
        call.reached = 'api';
        router(call);
      }),
    }),
  });
  closing.last(() => api.close());

  if (publicPort !== undefined) {
    const notHere = (call: ApiCall): void => call.plain(404, 'not found');
    const open = await startApiServer({
      ...listening,
      hosts: publicListenAddress === undefined ? hosts : [publicListenAddress],
      port: publicPort,
      flag: '--dapr-public-port',
      onRequest: apiHandler({
        ...handling,
        route: createRouter(publicRoutes, notHere, undefined, apiRules),
      }),
    });
    closing.last(() => open.close());
  }

  if (metricsPage === undefined) return { api, metricsPort: undefined };
  const { metricsListenAddress, metricsPort } = options;
  const scraped = await startMetricsServer(metricsListenAddress, metricsPort, metricsPage);
  closing.last(() => scraped.close());
  return { api, metricsPort: scraped.port };
}
