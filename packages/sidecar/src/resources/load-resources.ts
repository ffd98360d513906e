import path from 'node:path';
import type { AppProtocol } from '../app/app-channel.ts';
import { type ComponentSpec, componentSpec } from '../components/component-spec.ts';
import { declarative, type TopicSubscription } from '../pubsub/subscribe/subscription.ts';
import { type Configuration, mergeConfigurations } from './configuration.ts';
import { readConfigurations } from './configuration-files.ts';
import { type HttpEndpointSpec, httpEndpoint } from './http-endpoint.ts';
import { at, readResources } from './resource-files.ts';
import { NAME_RULE, resourceName } from './resource-name.ts';
import { standingOf } from './standing.ts';

export interface LoadedResources {
  readonly configuration: Configuration;
  readonly endpoints: readonly HttpEndpointSpec[];
  readonly components: readonly ComponentSpec[];
  readonly subscriptions: readonly TopicSubscription[];
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
  const problems: string[] = [];
  const unknown: string[] = [];
  const configurations = await readConfigurations(options.configPaths, (what) =>
    unknown.push(what),
  );
  const resources = await readResources(options.resourcesPaths, {
    unreadable: (place, why) => problems.push(`A resource cannot be read: ${place}: ${why}`),
    // It says nothing, as in Dapr.
    empty: () => {},
    remark: (remark) => unknown.push(remark),
  });
  const given = new Set(configurations.map(({ file }) => path.resolve(file)));
  const own = { appId: options.appId, namespace: options.givenNamespace ?? '' };
  const endpoints = new Map<string, HttpEndpointSpec>();
  const components: ComponentSpec[] = [];
  const subscriptions = new Map<string, TopicSubscription>();
  for (const resource of resources) {
    const { file, kind, line } = resource;
    const leftOut = (why: string) => problems.push(`${file}:${line}: ${kind} left out: ${why}`);
    // Policies are read elsewhere, by those who know them.
    if (kind === 'Resiliency') continue;
    const standing = standingOf(resource, own);
    if (standing.kind === 'unclear') leftOut(standing.why);
    // It will never be otherwise, and may not keep what changes beside it from being in force.
    if (standing.kind === 'foreign')
      unknown.push(`${file}:${line}: ${kind} left out: ${standing.why}.`);
    if (standing.kind !== 'ours') continue;
    if (kind === 'HTTPEndpoint') {
      const endpoint = httpEndpoint(resource);
      if (typeof endpoint === 'string') {
        leftOut(endpoint);
        continue;
      }
      const { name } = endpoint;
      if (endpoints.has(name)) {
        unknown.push(`${file}:${line}: HTTPEndpoint ${name} is there twice; the last counts.`);
      }
      endpoints.set(name, endpoint);
    } else if (kind === 'Component') {
      const component = componentSpec(resource);
      if (typeof component === 'string') leftOut(component);
      else components.push(component);
    } else if (kind === 'Subscription') {
      try {
        const name = resourceName(resource.document);
        if (name === undefined) throw new Error(NAME_RULE);
        const subscription = declarative(resource);
        if (subscriptions.delete(name)) {
          const which =
            name === '' ? 'a Subscription without metadata.name' : `Subscription ${name}`;
          unknown.push(`${file}:${line}: ${which} is there twice; the last counts.`);
        }
        subscriptions.set(name, subscription);
      } catch (error) {
        leftOut((error as Error).message.split('\n')[0]!);
      }
    } else if (kind === 'Configuration') {
      if (given.has(path.resolve(file))) continue;
      const name = String(at(resource.document, 'metadata', 'name') ?? '');
      unknown.push(
        `${file}:${line}: Configuration ${name} has no effect among the resources, as in Dapr; name its file with --config.`,
      );
    } else {
      unknown.push(
        `${file}:${line}: resources of kind ${kind} are not in this version; it is left out.`,
      );
    }
  }
  const configuration = mergeConfigurations(
    configurations,
    variables,
    options.appProtocol?.startsWith('grpc') ? 'grpc' : 'http',
  );
  return {
    configuration,
    endpoints: [...endpoints.values()],
    components,
    subscriptions: [...subscriptions.values()],
    problems,
    unknown,
  };
}
