import type { Listener } from '@holdfast/core';
import { createMetrics, processMetrics } from '@holdfast/telemetry';
import type { Logger } from '@holdfast/telemetry/log';
import type { MetricsSettings } from '../resources/metrics-settings.ts';
import { keptFacts } from './kept-facts.ts';
import { metricSpec } from './metric-spec.ts';
import { NO_METRICS, type SidecarMetrics, sidecarMetrics } from './sidecar-metrics.ts';

/** Metrics as the Configuration in force wants them. */
export interface LiveMetrics extends SidecarMetrics {
  /** From now on as another Configuration says. Where it says the same, nothing happens. */
  follow(settings: MetricsSettings): void;
}

/**
 * Labels, buckets and paths are those of a whole registry, so other settings mean another one: all
 * begins at zero, as in a daprd that begins anew at SIGHUP. What happened once and is still so (the
 * components that are up, the policies in force, a certificate's end) is told to it again.
 */
export function liveMetrics(
  appId: string,
  namespace: string,
  settings: MetricsSettings,
  log: Logger,
): LiveMetrics {
  const open = (wanted: MetricsSettings): SidecarMetrics => {
    if (!wanted.enabled) return processAlone();
    // The line is daprd's, which operators look for.
    log.info(`metric spec: ${metricSpec(wanted)}`);
    return sidecarMetrics(appId, namespace, wanted);
  };
  const facts = keptFacts();
  let inForce = JSON.stringify(settings);
  let now = open(settings);
  /** A listener is kept for as long as a pipeline is, which may be longer than a registry. */
  const follower = (find: () => Listener | undefined): Listener => {
    let of: SidecarMetrics | undefined;
    let hear: Listener | undefined;
    return (event) => {
      if (of !== now) {
        of = now;
        hear = find();
      }
      hear?.(event);
    };
  };

  return {
    follow(wanted) {
      const written = JSON.stringify(wanted);
      if (written === inForce) return;
      inForce = written;
      now = open(wanted);
      facts.tell(now);
    },
    ...facts.kept(() => now),
    listener: (app) => follower(() => now.listener(app)),
    componentListener: (label, direction) =>
      follower(() => now.componentListener(label, direction)),
    served: (...given) => now.served(...given),
    servedRpc: (...given) => now.servedRpc(...given),
    called: (...given) => now.called(...given),
    calledRpc: (...given) => now.calledRpc(...given),
    errored: (...given) => now.errored(...given),
    probed: (...given) => now.probed(...given),
    received: (...given) => now.received(...given),
    answered: (...given) => now.answered(...given),
    sent: (...given) => now.sent(...given),
    returned: (...given) => now.returned(...given),
    applied: (...given) => now.applied(...given),
    appliedComponent: (...given) => now.appliedComponent(...given),
    delivered: (...given) => now.delivered(...given),
    deliveredBulk: (...given) => now.deliveredBulk(...given),
    component: (...given) => now.component(...given),
    bound: (...given) => now.bound(...given),
    outbox: (...given) => now.outbox(...given),
    forgotten: (...given) => now.forgotten(...given),
    certificateReloaded: (...given) => now.certificateReloaded(...given),
    access: (...given) => now.access(...given),
    peerRefused: () => now.peerRefused(),
    render: () => now.render(),
  };
}

/** For `--enable-metrics=false`. */
export const NO_LIVE_METRICS: LiveMetrics = { ...NO_METRICS, follow() {} };

/** Where nothing is counted a scrape still tells of the process, as daprd's does. */
function processAlone(): SidecarMetrics {
  const metrics = createMetrics();
  processMetrics(metrics);
  return { ...NO_METRICS, render: () => metrics.render() };
}
