import type { NameResolver } from './name-resolver.ts';

export interface KubernetesNamesOptions {
  /** @default 'cluster.local' */
  readonly clusterDomain?: string;
  /**
   * An address with `{{.ID}}`, `{{.Namespace}}` and `{{.Port}}` in it, as Dapr's.
   * @default '{{.ID}}-dapr.{{.Namespace}}.svc.CLUSTERDOMAIN:{{.Port}}'
   */
  readonly template?: string;
}

/**
 * The service that stands before the sidecars of an app in a cluster. Its name
 * is known beforehand, so nothing is registered and nothing asked; whether
 * anybody is there turns out at the call. All sidecars of a cluster listen on
 * one port, which is this one's own.
 */
export function kubernetesNames({
  clusterDomain = 'cluster.local',
  template = `{{.ID}}-dapr.{{.Namespace}}.svc.${clusterDomain}:{{.Port}}`,
}: KubernetesNamesOptions = {}): NameResolver {
  let ownPort = 0;
  return {
    async register({ port }) {
      ownPort = port;
    },
    resolve(appId, namespace) {
      const address = template
        .replaceAll('{{.ID}}', appId)
        .replaceAll('{{.Namespace}}', namespace)
        .replaceAll('{{.Port}}', String(ownPort));
      return [address];
    },
    unreachable() {},
    notFound: (appId) => `couldn't find service: ${appId}`,
    close: async () => {},
  };
}
