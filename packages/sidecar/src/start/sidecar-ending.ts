import { createEnding, type Ending } from '../ending.ts';
import { linger } from '../lingering.ts';
import type { EventsToApp } from './events-to-app.ts';
import type { OpenApi } from './open-api.ts';
import type { BuildingBlocks } from './open-building-blocks.ts';
import type { Ways } from './open-ways.ts';
import type { StartEnv, Unready } from './start-env.ts';

export interface SidecarEndingOptions extends StartEnv, Ways, EventsToApp {
  readonly components: BuildingBlocks['components'];
  readonly doors: OpenApi;
  readonly unready: Unready;
}

/** How a sidecar ends: it lingers if it is asked to, leaves, drains, and closes what was opened. */
export function sidecarEnding(given: SidecarEndingOptions): Ending {
  const { app, clock, closing, components, doors, inputs, leg, log } = given;
  const { names, options, subscriber, unready } = given;
  const lingering = {
    ms: options.blockShutdownMs,
    unhealthy: () => app.whenUnhealthy(),
    begun() {
      unready.add('lingering');
      subscriber.rest();
      inputs.rest();
    },
    clock,
    log,
  };
  return createEnding({
    graceMs: options.gracefulShutdownMs,
    clock,
    linger: (signal) => linger(lingering, signal),
    begin: () => void unready.add('stopping'),
    late: () => log.error('Graceful shutdown timeout exceeded, forcing shutdown'),
    async leave() {
      await names.close();
      subscriber.hurry();
    },
    async drain() {
      await Promise.all([doors.api.drain(), doors.grpc?.drain(), leg.peerServer.drain()]);
      await components.drain();
    },
    async close() {
      // By force it was not asked to leave: what waits for company goes now, and leaves no timer of an hour.
      subscriber.hurry();
      await closing.now();
      log.info(`holdfast sidecar of ${options.appId} has stopped.`);
    },
  });
}
