import os from 'node:os';
import type { Clock } from '@holdfast/core';
import type { Logger } from '@holdfast/telemetry/log';
import type { Closing } from '../closing.ts';
import type { SidecarMetrics } from '../metrics/sidecar-metrics.ts';
import type { ResolvedSidecarOptions } from '../options.ts';
import { isLoopback } from '../server/doors/loopback.ts';
import { framePeerTransport } from './frame-transport.ts';
import { listenForPeers } from './listen-for-peers.ts';
import { type LiveCredentials, openCredentials } from './live-credentials.ts';
import { IN_THE_CLEAR, mutualTls } from './peer-security.ts';
import type { PeerCallee, PeerServer, PeerTransport } from './peer-transport.ts';
import { formatSpiffeId } from './spiffe-id.ts';

export interface PeerLegOptions {
  readonly options: ResolvedSidecarOptions;
  readonly callee: PeerCallee;
  readonly metrics: SidecarMetrics;
  readonly clock: Clock;
  readonly log: Logger;
  readonly closing: Closing;
}

/** Both ends of the leg between sidecars. */
export interface PeerLeg {
  readonly peers: PeerTransport;
  readonly peerServer: PeerServer;
  /** The address that others are told. */
  readonly host: string;
  /** Looks at the certificate files now. */
  reload(): Promise<void>;
}

/** Refusals come from outside and may be many; the log gets one in so long, the metric all. */
const REFUSED_LINE_EVERY_MS = 1_000;

export async function openPeerLeg(given: PeerLegOptions): Promise<PeerLeg> {
  const { options, callee, metrics, clock, log, closing } = given;
  const { appId, namespace, internalListenAddress: host, mtls } = options;
  let credentials: LiveCredentials | undefined;
  if (mtls !== undefined) {
    credentials = await openCredentials({
      appId,
      namespace,
      mtls,
      clock,
      log,
      inUse: metrics.certificate,
      reloaded: metrics.certificateReloaded,
    });
    closing.last(credentials.close);
    log.info(`Between sidecars this one is ${formatSpiffeId(credentials.current.id)}.`);
  } else if (!isLoopback(host)) {
    log.warn(`Other sidecars are listened for on ${host} without mTLS: anybody can call the app.`);
  }
  const plain = credentials === undefined ? IN_THE_CLEAR : mutualTls(credentials);
  let security = plain;
  if (options.frameDumpFile !== undefined) {
    const { openFrameDump } = await import('./frame-dump.ts');
    const dump = openFrameDump(options.frameDumpFile, { clock, log });
    closing.last(() => dump.close());
    security = dump.watch(plain);
  }

  const { maxBodyBytes } = options;
  const peers = framePeerTransport({ clock, maxBodyBytes, security });
  closing.last(() => peers.close());

  let quietUntilMs = 0;
  const peerServer = await listenForPeers(callee, {
    host,
    port: options.internalPort,
    clock,
    security,
    maxBodyBytes,
    refused(from, why) {
      metrics.peerRefused();
      if (clock.now() < quietUntilMs) return;
      quietUntilMs = clock.now() + REFUSED_LINE_EVERY_MS;
      log.warn(`A connection from ${from} was not let in: ${why}.`);
    },
  });
  closing.last(() => peerServer.close());
  return {
    peers,
    peerServer,
    host: announced(host, options.hostAddress),
    reload: async () => credentials?.reload(),
  };
}

/** Where all addresses are listened on, others are told one of them. */
function announced(host: string, hostAddress: string): string {
  if (host !== '0.0.0.0' && host !== '::') return host;
  if (!isLoopback(hostAddress)) return hostAddress;
  const outside = Object.values(os.networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .find(({ internal, family }) => !internal && family === 'IPv4');
  return outside?.address ?? hostAddress;
}
