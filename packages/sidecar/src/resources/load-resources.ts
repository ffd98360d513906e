import path from 'node:path';
import type { AppProtocol } from '../app/app-channel.ts';
import { type Configuration, mergeConfigurations } from './configuration.ts';
import { readConfigurations } from './configuration-files.ts';
import { readResources } from './resource-files.ts';
import { type Said, type SortedResources, sortResources } from './sort-resources.ts';

export interface LoadedResources extends SortedResources {
  readonly configuration: Configuration;
  /** What was left out since it cannot be read, as `file:line: why`. */
  readonly problems: readonly string[];
  /** What else a file has that should not be there: kinds that this version does not have, keys that are there twice. */
  readonly unknown: readonly string[];
}

/**
 * Reads what is not a policy: Configuration, HTTPEndpoint, Component and Subscription.
 *
 * @throws ConfigurationFileError for a Configuration that cannot be read.
 */
export async function loadResources(
  options: {
    readonly appId: string;
    /** Resources of another one are not for us; without it, and without theirs, all are. */
    readonly givenNamespace?: string;
    readonly resourcesPaths: readonly string[];
    readonly configPaths: readonly string[];
    readonly appProtocol?: AppProtocol;
  },
  variables: Readonly<Record<string, string | undefined>>,
): Promise<LoadedResources> {
  const said: Said = { problems: [], unknown: [] };
  const { problems, unknown } = said;
  const configurations = await readConfigurations(options.configPaths, (what) =>
    unknown.push(what),
  );
  const resources = await readResources(options.resourcesPaths, {
    unreadable: (place, why) => problems.push(`A resource cannot be read: ${place}: ${why}`),
    // It says nothing, as in Dapr.
    empty: () => {},
    remark: (remark) => unknown.push(remark),
  });
  const own = { appId: options.appId, namespace: options.givenNamespace ?? '' };
  const configFiles = new Set(configurations.map(({ file }) => path.resolve(file)));
  const configuration = mergeConfigurations(
    configurations,
    variables,
    options.appProtocol?.startsWith('grpc') ? 'grpc' : 'http',
  );
  return { configuration, ...sortResources(resources, own, configFiles, said), ...said };
}
