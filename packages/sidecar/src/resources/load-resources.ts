import type { Logger } from '@holdfast/telemetry/log';
import { type ComponentSpec, componentSpec } from '../components/component-spec.ts';
import { declarative, type TopicSubscription } from '../pubsub/subscription.ts';
import { type Configuration, mergeConfigurations } from './configuration.ts';
import { type HttpEndpoint, httpEndpoint } from './http-endpoint.ts';
import { type Resource, readResources } from './resource-files.ts';

/** A `--config` file that cannot be read: the sidecar does not start without it. */
export class ConfigurationFileError extends Error {
  readonly code = 'CONFIGURATION_FILE';
  readonly file: string;

  constructor(file: string, why: string) {
    super(`The configuration ${file} (--config) cannot be read: ${why}`);
    this.name = 'ConfigurationFileError';
    this.file = file;
  }
}

export interface LoadedResources {
  readonly configuration: Configuration;
  readonly endpoints: readonly HttpEndpoint[];
  readonly components: readonly ComponentSpec[];
  readonly subscriptions: readonly TopicSubscription[];
}

/** Reads what is not a policy: Configuration, HTTPEndpoint, Component and Subscription; names what this version has not. */
export async function loadResources(
  options: {
    readonly appId: string;
    readonly resourcesPaths: readonly string[];
    readonly configPaths: readonly string[];
  },
  variables: Readonly<Record<string, string | undefined>>,
  log: Logger,
): Promise<LoadedResources> {
  const configurations = await readResources(options.configPaths, (file, why) => {
    throw new ConfigurationFileError(file, why);
  });
  const resources = await readResources(options.resourcesPaths, (file, why) =>
    log.warn(`A resource cannot be read: ${file}: ${why}`),
  );
  const endpoints: HttpEndpoint[] = [];
  const components: ComponentSpec[] = [];
  const subscriptions: TopicSubscription[] = [];
  for (const resource of resources) {
    if (!inScope(resource, options.appId)) continue;
    const { file, kind } = resource;
    if (kind === 'HTTPEndpoint') {
      const endpoint = httpEndpoint(resource, variables);
      if (typeof endpoint === 'string') log.warn(`${file}: HTTPEndpoint left out: ${endpoint}`);
      else endpoints.push(endpoint);
    } else if (kind === 'Component') {
      const component = componentSpec(resource);
      if (typeof component === 'string') log.warn(`${file}: Component left out: ${component}`);
      else components.push(component);
    } else if (kind === 'Subscription') {
      try {
        subscriptions.push(declarative(resource));
      } catch (error) {
        log.warn(`${file}: Subscription left out: ${(error as Error).message}`);
      }
    } else if (kind !== 'Resiliency') {
      log.warn(`${file}: resources of kind ${kind} are not in this version; it is left out.`);
    }
  }
  const configuration = mergeConfigurations(configurations, variables);
  return { configuration, endpoints, components, subscriptions };
}

function inScope({ document }: Resource, appId: string): boolean {
  const { scopes } = document;
  return !Array.isArray(scopes) || scopes.length === 0 || scopes.includes(appId);
}
