import { systemRandom } from '@holdfast/core';
import { AccessGate } from '../access/access-gate.ts';
import { type AppChannel, openAppChannel } from '../app/app-channel.ts';
import { proxyOf } from '../egress/proxy-of.ts';
import { Upstreams } from '../invoke/upstreams.ts';
import { AddressBook } from '../names/address-book.ts';
import type { NameResolver } from '../names/name-resolver.ts';
import { openNames } from '../names/open-names.ts';
import { Callee } from '../peers/callee.ts';
import { openPeerLeg, type PeerLeg } from '../peers/open-peer-leg.ts';
import type { Configured } from './open-configured.ts';
import type { StartEnv } from './start-env.ts';

/** Everybody that calls are sent to, and where other sidecars come in. */
export interface Ways {
  readonly app: AppChannel;
  /** Which other apps may call what of ours. */
  readonly access: AccessGate;
  readonly leg: PeerLeg;
  readonly names: NameResolver;
  readonly upstreams: Upstreams;
}

export async function openWays(given: StartEnv & Configured): Promise<Ways> {
  const { clock, closing, live, log, metrics, options, tracing, variables } = given;
  const { configuration } = live.first;
  const { appId, namespace } = options;
  const app = await openAppChannel({
    port: options.appPort,
    address: options.appChannelAddress,
    protocol: options.appProtocol,
    maxBodyBytes: options.maxBodyBytes,
    maxConcurrency: options.appMaxConcurrency,
    token: options.appApiToken,
    clock,
    called: metrics.called,
    calledRpc: metrics.calledRpc,
  });
  closing.last(() => app.close());

  const access = new AccessGate(configuration.accessControl, metrics.access);
  const callee = new Callee({ appId, app, tracing, counts: metrics, access });
  const leg = await openPeerLeg({ options, callee, metrics, clock, log, closing });

  const names = options.names ?? (await openNames(configuration.nameResolution, { clock, log }));
  closing.last(() => names.close());

  const addresses = new AddressBook(names, clock, systemRandom);
  const { peers } = leg;
  const upstreams = new Upstreams({
    ...{ appId, namespace, app, peers, addresses, clock, metrics },
    proxyOf: proxyOf(variables),
  });
  closing.last(() => upstreams.close());
  return { app, access, leg, names, upstreams };
}
