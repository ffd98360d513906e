import { askApp } from '../app/ask-app.ts';
import { welcomeApp } from '../app/welcome-app.ts';
import { watchAppHealth } from '../health/app-health.ts';
import { httpProbeWords, RPC_PROBE_WORDS } from '../health/probe-words.ts';
import { waitForApp } from '../health/wait-for-app.ts';
import type { EventsToApp } from './events-to-app.ts';
import type { Configured } from './open-configured.ts';
import type { Ways } from './open-ways.ts';
import type { StartEnv, Unready } from './start-env.ts';

export interface MeetAppOptions extends StartEnv, Configured, Ways, EventsToApp {
  readonly unready: Unready;
}

/**
 * Prepares for the application, which may come later than its sidecar, or never; what it returns
 * begins to wait for it. Once it is there its health is watched, it is asked what it wants, and its
 * events come.
 */
export function meetApp(given: MeetAppOptions): () => void {
  const { app, clock, closing, inputs, log, metrics, options, subscriber, unready } = given;
  const { appChannelAddress: host, appHealthCheck: health, appPort: port } = options;
  const ask = askApp(app.questions);
  const welcome = welcomeApp({ options, ask, begin: [subscriber, inputs], clock, log });
  const watchHealth = (): void => {
    if (health === undefined) return;
    const overRpc = options.appProtocol.startsWith('grpc');
    const words = overRpc ? RPC_PROBE_WORDS : httpProbeWords(app.origin);
    // The lines are daprd's, which operators look for.
    log.info('App health probes starting');
    const probes = watchAppHealth(
      { app: app.probe, options: health, words, clock },
      {
        changed(now) {
          // First, so that no event meets an application that refuses everything.
          if (!now.healthy) for (const one of [subscriber, inputs]) one.suspend();
          app.healthy = now.healthy;
          if (now.healthy) void welcome();
          if (now.healthy) log.info('App entered healthy status');
          else log.warn(`App entered un-healthy status: ${now.why}`);
        },
        // Those over gRPC are counted as they are called.
        ...(overRpc ? {} : { probed: metrics.probed }),
      },
    );
    closing.last(() => probes.close());
  };
  if (port === undefined) return () => subscriber.nobody();

  // Until a probe has said so.
  if (health !== undefined) app.healthy = false;
  return () => {
    // Both lines are daprd's, which operators look for.
    log.info(
      `application protocol: ${options.appProtocol}. waiting on port ${port}.  This will block until the app is listening on that port.`,
    );
    const watching = waitForApp({ host, port }, clock, () => {
      log.info(`application discovered on port ${port}`);
      // Not before: an application whose health is watched, and that is asked once it is healthy,
      // would wait for a second probe.
      watchHealth();
      const subscribed = health === undefined ? welcome() : Promise.resolve();
      // Ready is who has subscribed: what is published from then on arrives.
      void subscribed.finally(() => unready.delete('runtime'));
    });
    closing.last(() => watching.close());
  };
}
