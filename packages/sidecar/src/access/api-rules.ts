/** Which of the sidecar's APIs a protocol offers: `spec.api` of a Configuration. */
export interface ApiRules {
  /** Empty: all. */
  readonly allowed: readonly ApiRule[];
  /** Asked first. */
  readonly denied: readonly ApiRule[];
}

export interface ApiRule {
  /** `state`, or the beginning of a path: `publish/bulk`. */
  readonly name: string;
  /** `v1` as groups are called, or `v1.0` as paths are. */
  readonly version: string;
  readonly protocol: 'http' | 'grpc';
}

/** One of the APIs, as both protocols name it. */
export interface Api {
  /** `state`, `invoke`, `publish` … */
  readonly group: string;
  /** `v1.0`, `v1.0-alpha1` … as in paths; over gRPC that of the group: `v1`, `v1alpha1` … */
  readonly version: string;
  /** What follows the version in a path, as far as it is fixed: `state/`, `publish/bulk/`; empty over gRPC. */
  readonly route: string;
}

/** Whether an API is offered, as Dapr decides it: what is denied is denied, then only what is allowed is allowed. */
export function offersApi(rules: ApiRules, api: Api, protocol: 'http' | 'grpc'): boolean {
  // Whoever watches over a sidecar must be able to ask it.
  if (api.group === 'healthz') return true;
  const speaksOf = (rule: ApiRule) => rule.protocol === protocol && isAbout(rule, api);
  if (rules.denied.some(speaksOf)) return false;
  const allowed = rules.allowed.filter((rule) => rule.protocol === protocol);
  return allowed.length === 0 || allowed.some(speaksOf);
}

function isAbout({ name, version }: ApiRule, api: Api): boolean {
  if (name === api.group && version === groupVersion(api.version)) return true;
  return api.route !== '' && `${api.version}/${api.route}`.startsWith(`${version}/${name}`);
}

/** `v1.0-alpha1` → `v1alpha1`, as Dapr calls groups of routes. */
function groupVersion(version: string): string {
  return version.replace(/^v(\d+)\.0(?:-(.+))?$/, (_, major, stage) => `v${major}${stage ?? ''}`);
}
