/** Brokers: one that is open, one whose events are tried again, one with scopes. */
export const COMPONENTS = [
  ...['broker', 'patient'].map((name) => component(name)),
  component('scoped', '{ name: publishingScopes, value: "caller=open;other=closed" }'),
].join('---');

/** In a file of its own: Dapr reads the first document of those with policies, and so do we. */
export const RESILIENCY = `
apiVersion: dapr.io/v1alpha1
kind: Resiliency
metadata: { name: pubsub }
spec:
  policies:
    retries: { soon: { policy: constant, duration: 10ms, maxRetries: 5 } }
  targets:
    components: { patient: { inbound: { retry: soon } } }
`;

export const SUBSCRIPTIONS = `
apiVersion: dapr.io/v1alpha1
kind: Subscription
metadata: { name: first }
spec: { pubsubname: broker, topic: declared-v1, route: /declared/v1 }
scopes: [caller]
---
apiVersion: dapr.io/v2alpha1
kind: Subscription
metadata: { name: second }
spec:
  pubsubname: broker
  topic: declared-v2
  routes:
    rules: [{ match: event.type == "never", path: /declared/never }]
    default: /declared/v2
scopes: [caller]
---
apiVersion: dapr.io/v2alpha1
kind: Subscription
metadata: { name: not-ours }
spec: { pubsubname: broker, topic: plain, routes: { default: /on-somebody-else } }
scopes: [somebody-else]
`;

const simple = (topic: string, more: object = {}) => ({
  pubsubname: 'broker',
  topic,
  route: `/on-${topic}`,
  ...more,
});

const REFUSED = ['dropped', 'unknown', 'failing', 'retried'];

/** What the application answers when it is asked what it subscribes to. */
export const WANTED = [
  ...['plain', 'types', 'own', 'exact', 'bytes', 'meta', 'bulk', 'said'].map((topic) =>
    simple(topic),
  ),
  simple('raw', { metadata: { rawPayload: 'true' } }),
  simple('flaky', { pubsubname: 'patient' }),
  ...REFUSED.flatMap((topic) => [
    simple(topic, { deadLetterTopic: `dead-${topic}` }),
    simple(`dead-${topic}`, { route: `/dead-${topic}` }),
  ]),
  {
    pubsubname: 'broker',
    topic: 'ruled',
    routes: {
      rules: [
        { match: 'event.type == "big"', path: '/ruled-big' },
        { match: 'event.type.startsWith("sm")', path: '/ruled-small' },
      ],
      default: '/ruled-default',
    },
  },
];

function component(name: string, metadata = ''): string {
  return `
apiVersion: dapr.io/v1alpha1
kind: Component
metadata: { name: ${name} }
spec: { type: pubsub.in-memory, version: v1, metadata: [${metadata}] }
`;
}
