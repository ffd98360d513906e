import { lookup } from 'node:dns/promises';
import { type Clock, systemClock } from '@holdfast/core';
import { UpstreamError } from '../flow/upstream-error.ts';
import { Recent } from '../policies/recent.ts';
import type { NameResolver } from './name-resolver.ts';

export interface KubernetesNamesOptions {
  /** @default 'cluster.local' */
  readonly clusterDomain?: string;
  /**
   * An address with `{{.ID}}`, `{{.Namespace}}` and `{{.Port}}` in it, as Dapr's.
   * @default '{{.ID}}-dapr.{{.Namespace}}.svc.CLUSTERDOMAIN:{{.Port}}'
   */
  readonly template?: string;
  /** All addresses of a host. @default those that the system knows */
  readonly lookUp?: (host: string) => Promise<readonly string[]>;
  readonly clock?: Clock;
}

/** How long what the cluster's DNS said is used again, as in Dapr. */
const FRESH_MS = 20_000;
const MAX_HOSTS = 1_000;

interface Found {
  readonly addresses: readonly string[];
  readonly untilMs: number;
}

/**
 * The service that stands before the sidecars of an app in a cluster. It has no address of its own:
 * its name is asked for, and every sidecar behind it has its part of the calls. Nothing is
 * registered; all sidecars of a cluster listen on one port, which is this one's own.
 */
export function kubernetesNames({
  clock = systemClock,
  clusterDomain = 'cluster.local',
  lookUp = allAddresses,
  template = `{{.ID}}-dapr.{{.Namespace}}.svc.${clusterDomain}:{{.Port}}`,
}: KubernetesNamesOptions = {}): NameResolver {
  let ownPort = 0;
  const known = new Recent<Found>(MAX_HOSTS);

  const ask = async (service: string): Promise<readonly string[]> => {
    const end = service.lastIndexOf(':');
    const host = service.slice(0, end);
    const found = await lookUp(host).catch((cause: unknown) => {
      const why = `failed to resolve address for '${host}': lookup ${host}: no such host`;
      throw new UpstreamError('NO_ADDRESS', why, cause);
    });
    const addresses = found.map(
      (one) => (one.includes(':') ? `[${one}]` : one) + service.slice(end),
    );
    known.set(service, { addresses, untilMs: clock.now() + FRESH_MS });
    return addresses;
  };
  return {
    async register({ port }) {
      ownPort = port;
    },
    resolve(appId, namespace) {
      const service = template
        .replaceAll('{{.ID}}', appId)
        .replaceAll('{{.Namespace}}', namespace)
        .replaceAll('{{.Port}}', String(ownPort));
      const found = known.get(service);
      return found !== undefined && found.untilMs > clock.now() ? found.addresses : ask(service);
    },
    unreachable(_appId, address) {
      for (const [service, { addresses }] of known.entries()) {
        if (addresses.includes(address)) known.put(service, { addresses, untilMs: 0 });
      }
    },
    notFound: (appId) => `couldn't find service: ${appId}`,
    close: async () => {},
  };
}

const allAddresses = async (host: string): Promise<readonly string[]> =>
  (await lookup(host, { all: true })).map(({ address }) => address);
