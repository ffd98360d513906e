import { at, type Resource } from './resource-files.ts';

/** Whether a resource is for this sidecar. What is for others is nothing to speak of; the rest is. */
export type Standing =
  | { readonly kind: 'ours' }
  | { readonly kind: 'others' }
  /** It is no resource of Dapr's, or of a Dapr that is not yet. */
  | { readonly kind: 'foreign'; readonly why: string }
  /** Somebody wrote it wrongly. */
  | { readonly kind: 'unclear'; readonly why: string };

/** Versions of kinds that others have as well: a `Component` of KubeVela's is none of ours. */
const API_VERSIONS: Readonly<Record<string, readonly string[]>> = {
  Component: ['dapr.io/v1alpha1'],
  HTTPEndpoint: ['dapr.io/v1alpha1'],
  Subscription: ['dapr.io/v1alpha1', 'dapr.io/v2alpha1'],
};

/** Whom resources are for: this sidecar. `namespace` is empty where it is in none. */
export interface OwnName {
  readonly appId: string;
  readonly namespace: string;
}

/** By its scopes, its namespace and its version. */
export function standingOf({ document, kind }: Resource, own: OwnName): Standing {
  const namespace = at(document, 'metadata', 'namespace') ?? '';
  if (own.namespace !== '' && namespace !== '' && namespace !== own.namespace) {
    return { kind: 'others' };
  }
  const scopes = at(document, 'scopes') ?? [];
  if (!Array.isArray(scopes) || scopes.some((one) => typeof one !== 'string')) {
    // Whom it was to be kept from cannot be seen, so it is kept from all, as in Dapr.
    return { kind: 'unclear', why: 'scopes must be a list of app ids, such as [orders]' };
  }
  if (scopes.length > 0 && !scopes.includes(own.appId)) return { kind: 'others' };
  const version = at(document, 'apiVersion');
  const known = API_VERSIONS[kind];
  if (known === undefined || version === undefined || known.includes(String(version))) {
    return { kind: 'ours' };
  }
  const why = `apiVersion is ${JSON.stringify(version)}; write ${known.join(' or ')}`;
  return { kind: 'foreign', why };
}
