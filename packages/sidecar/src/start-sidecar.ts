import { type Clock, systemClock } from '@holdfast/core';
import { createLogger, type Logger } from '@holdfast/telemetry/log';
import { createClosing } from './closing.ts';
import type { Ended, StopOptions } from './ending.ts';
import { resolveSidecarOptions, type SidecarOptions } from './options.ts';
import type { PeerLeg } from './peers/open-peer-leg.ts';
import { openPolicies } from './policies/live-policies.ts';
import { openSockets } from './server/doors/socket-paths.ts';
import { warnOfOpenApi } from './server/doors/warn-of-open-api.ts';
import { shutdownByApi } from './server/shutdown-routes.ts';
import { eventsToApp } from './start/events-to-app.ts';
import { followResources } from './start/follow-resources.ts';
import { meetApp } from './start/meet-app.ts';
import { type OpenApi, openApi } from './start/open-api.ts';
import { openBuildingBlocks } from './start/open-building-blocks.ts';
import { openConfigured } from './start/open-configured.ts';
import { openWays } from './start/open-ways.ts';
import { sidecarEnding } from './start/sidecar-ending.ts';
import type { StartEnv, Unready } from './start/start-env.ts';

/** A running sidecar. */
export interface Sidecar {
  readonly ports: {
    /** 0 where the API is on Unix sockets. */
    readonly http: number;
    readonly internal: number;
    readonly grpc?: number;
    readonly metrics?: number;
  };
  /** Where the API listens in place of ports, where it does. */
  readonly sockets?: { readonly http: string; readonly grpc?: string };
  /** Reads the files again, now, as it does by itself when they change. A broken file changes nothing and is logged. */
  reload(): Promise<void>;
  /** Ends it: calls in flight get `gracefulShutdownMs`, none with `force`. Leaves nothing behind. */
  stop(options?: StopOptions): Promise<void>;
  /** Resolves when it has stopped, by `stop` or by `POST /v1.0/shutdown`. */
  readonly ended: Promise<Ended>;
}

/** What the sidecar takes from its surroundings. */
export interface SidecarEnv {
  /** @default systemClock */
  readonly clock?: Clock;
  /** @default lines on stderr are the caller's to ask for: nothing is logged */
  readonly log?: Logger;
  /** For `$VAR` in Configuration files and `envRef` in resources. @default none */
  readonly variables?: Readonly<Record<string, string | undefined>>;
}

/**
 * Starts a sidecar. It is ready to answer when the promise resolves; when it
 * rejects, nothing was left running.
 *
 * @throws RangeError for an option that cannot be, PortTakenError for a port that is another's.
 */
export async function startSidecar(given: SidecarOptions, env: SidecarEnv = {}): Promise<Sidecar> {
  const options = resolveSidecarOptions(given);
  const clock = env.clock ?? systemClock;
  const log = env.log ?? createLogger({ write: () => {} });
  const closing = createClosing();
  try {
    return await start({ options, clock, log, variables: env.variables ?? {}, closing });
  } catch (error) {
    await closing.now();
    throw error;
  }
}

/** A start, step by step: what a later step needs, an earlier one has opened. */
async function start(env: StartEnv): Promise<Sidecar> {
  const { clock, closing, log, options } = env;
  const { appId, appPort, namespace } = options;
  const configured = await openConfigured(env);
  const ways = await openWays({ ...env, ...configured });
  const { leg, names } = ways;
  const { live, metrics } = configured;

  const policies = await openPolicies({ ...options, watched: live.watched, clock, log, metrics });
  closing.last(() => policies.close());
  warnOfOpenApi(options, log);

  const soFar = { ...env, ...configured, ...ways, policies };
  const blocks = await openBuildingBlocks(soFar);
  const events = eventsToApp({ ...soFar, ...blocks });
  const parts = { ...soFar, ...blocks, ...events };

  const unready: Unready = new Set(appPort === undefined ? ['http'] : ['http', 'runtime']);
  // Asked to end while it is starting, it ends as soon as it has started.
  const started = Promise.withResolvers<Sidecar['stop']>();
  const shutdown = shutdownByApi(started.promise, { clock, log });
  const doors = await openApi({ ...parts, unready, shutdown });

  const beginToMeet = meetApp({ ...parts, unready });
  await names.register({ appId, namespace, host: leg.host, port: leg.peerServer.port });
  unready.delete('http');
  beginToMeet();
  followResources(parts);

  const ports = portsOf(doors, leg);
  const sockets = openSockets(options, doors.grpc !== undefined);
  log.info(`holdfast sidecar of ${appId} is up.`, { ...ports, ...sockets });

  const { stop, ended } = sidecarEnding({ ...parts, doors, unready });
  started.resolve(stop);
  return {
    ports,
    ...(sockets === undefined ? {} : { sockets }),
    async reload() {
      await live.reload();
      await policies.reload();
      await leg.reload();
    },
    stop,
    ended,
  };
}

const portsOf = ({ api, grpc, metricsPort }: OpenApi, { peerServer }: PeerLeg) => ({
  http: api.port,
  internal: peerServer.port,
  ...(grpc === undefined ? {} : { grpc: grpc.port }),
  ...(metricsPort === undefined ? {} : { metrics: metricsPort }),
});
