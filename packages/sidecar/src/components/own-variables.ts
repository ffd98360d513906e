import type { ResolvedSidecarOptions } from '../options.ts';

/** What daprd puts into its own environment, for components to read. */
export function ownVariables({
  appId,
  appPort,
  hostAddress,
}: ResolvedSidecarOptions): Readonly<Record<string, string>> {
  return { APP_ID: appId, APP_PORT: String(appPort ?? ''), HOST_ADDRESS: hostAddress };
}
