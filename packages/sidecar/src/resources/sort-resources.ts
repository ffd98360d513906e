import path from 'node:path';
import { type ComponentSpec, componentSpec } from '../components/component-spec.ts';
import { declarative, type TopicSubscription } from '../pubsub/subscribe/subscription.ts';
import { type HttpEndpointSpec, httpEndpoint } from './http-endpoint.ts';
import { meant } from './meant.ts';
import { at, type Resource } from './resource-files.ts';
import { NAME_RULE, resourceName } from './resource-name.ts';
import { type OwnName, standingOf } from './standing.ts';

/** What files have for this sidecar, by kind. */
export interface SortedResources {
  readonly endpoints: readonly HttpEndpointSpec[];
  readonly components: readonly ComponentSpec[];
  readonly subscriptions: readonly TopicSubscription[];
}

/** What is to be told of what was left out: `problems` of ours, `unknown` of what should not be there. */
export interface Said {
  readonly problems: string[];
  readonly unknown: string[];
}

/** Keeps what is for `own`; of two of one name the last. Configurations are those of `configFiles` alone. */
export function sortResources(
  resources: readonly Resource[],
  own: OwnName,
  configFiles: ReadonlySet<string>,
  said: Said,
): SortedResources {
  const endpoints = new Map<string, HttpEndpointSpec>();
  const components: ComponentSpec[] = [];
  const subscriptions = new Map<string, TopicSubscription>();
  for (const resource of resources) {
    // Policies are read elsewhere, by those who know them.
    if (resource.kind === 'Resiliency' || !isOurs(resource, own, said)) continue;
    switch (resource.kind) {
      case 'HTTPEndpoint':
        addEndpoint(resource, endpoints, said);
        break;
      case 'Component':
        addComponent(resource, components, said);
        break;
      case 'Subscription':
        addSubscription(resource, subscriptions, said);
        break;
      case 'Configuration':
        if (!configFiles.has(path.resolve(resource.file))) remarkConfiguration(resource, said);
        break;
      default:
        said.unknown.push(
          `${placeOf(resource)}: resources of kind ${resource.kind} are not in this version${meant(resource.kind, KINDS)}; it is left out.`,
        );
    }
  }
  return {
    endpoints: [...endpoints.values()],
    components,
    subscriptions: [...subscriptions.values()],
  };
}

function isOurs(resource: Resource, own: OwnName, { problems, unknown }: Said): boolean {
  const standing = standingOf(resource, own);
  if (standing.kind === 'unclear') problems.push(leftOut(resource, standing.why));
  // It will never be otherwise, and may not keep what changes beside it from being in force.
  if (standing.kind === 'foreign') unknown.push(`${leftOut(resource, standing.why)}.`);
  return standing.kind === 'ours';
}

function addEndpoint(
  resource: Resource,
  endpoints: Map<string, HttpEndpointSpec>,
  { problems, unknown }: Said,
): void {
  const endpoint = httpEndpoint(resource);
  if (typeof endpoint === 'string') {
    problems.push(leftOut(resource, endpoint));
    return;
  }
  const { name } = endpoint;
  if (endpoints.has(name)) unknown.push(twice(resource, `HTTPEndpoint ${name}`));
  endpoints.set(name, endpoint);
}

function addComponent(resource: Resource, components: ComponentSpec[], { problems }: Said): void {
  const component = componentSpec(resource);
  if (typeof component === 'string') problems.push(leftOut(resource, component));
  else components.push(component);
}

function addSubscription(
  resource: Resource,
  subscriptions: Map<string, TopicSubscription>,
  { problems, unknown }: Said,
): void {
  try {
    const name = resourceName(resource.document);
    if (name === undefined) throw new Error(NAME_RULE);
    const subscription = declarative(resource);
    if (subscriptions.delete(name)) {
      const which = name === '' ? 'a Subscription without metadata.name' : `Subscription ${name}`;
      unknown.push(twice(resource, which));
    }
    subscriptions.set(name, subscription);
  } catch (error) {
    problems.push(leftOut(resource, (error as Error).message.split('\n')[0]!));
  }
}

function remarkConfiguration(resource: Resource, { unknown }: Said): void {
  const name = String(at(resource.document, 'metadata', 'name') ?? '');
  unknown.push(
    `${placeOf(resource)}: Configuration ${name} has no effect among the resources, as in Dapr; name its file with --config.`,
  );
}

const placeOf = ({ file, line }: Resource): string => `${file}:${line}`;

const leftOut = (resource: Resource, why: string): string =>
  `${placeOf(resource)}: ${resource.kind} left out: ${why}`;

const twice = (resource: Resource, which: string): string =>
  `${placeOf(resource)}: ${which} is there twice; the last counts.`;

const KINDS = ['Component', 'Configuration', 'HTTPEndpoint', 'Resiliency', 'Subscription'];
