/** Groups of the suite that a sidecar without a control plane can pass; each is run by itself. */
export const GROUPS: readonly string[] = [
  'daprd/binding/',
  'daprd/config/',
  'daprd/hotreload/selfhosted/',
  'daprd/httpendpoints/',
  'daprd/httpserver/',
  'daprd/metadata/',
  'daprd/metrics/',
  'daprd/middleware/',
  'daprd/multipleconfigs/',
  'daprd/outbox/',
  'daprd/pluggable/',
  'daprd/pubsub/',
  'daprd/resiliency/',
  'daprd/resources/',
  'daprd/routes/',
  'daprd/secret/',
  'daprd/serviceinvocation/',
  'daprd/shutdown/',
  'daprd/startup/',
  'daprd/state/',
  'daprd/subscriptions/',
  'daprd/tracing/',
];

/** Cases of those groups that start a control plane, or are about what is not here: actors, workflow, jobs, MCP. */
export const ELSEWHERE =
  /operator|kubernetes|injector|sentry|placement|scheduler|actor|workflow|mcpserver|crypto|jobs?\b|trustdomain|reservedchars\/acl|httpendpoints\/(?:pki|rootca)|cardinality\/(?:high|low)|errorcodemetrics|resources\/dapr$/i;
