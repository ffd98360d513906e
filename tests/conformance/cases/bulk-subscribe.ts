const BULK = { enabled: true, maxMessagesCount: 4, maxAwaitDurationMs: 300 };

const DEAD = ['words', 'failing', 'silent', 'garbled', 'unknown'];

const bulk = (topic: string, more: object = {}) => ({
  pubsubname: 'broker',
  topic,
  route: `/on-${topic}`,
  bulkSubscribe: BULK,
  ...more,
});

/** What the application answers when it is asked what it subscribes to. */
export const wantedOf = () => [
  ...['plain', 'many', 'short', 'kept', 'again'].map((topic) => bulk(topic)),
  bulk('raw', { metadata: { rawPayload: 'true' } }),
  bulk('patient', { pubsubname: 'patient' }),
  ...DEAD.flatMap((topic) => [
    bulk(topic, { deadLetterTopic: `dead-${topic}` }),
    { pubsubname: 'broker', topic: `dead-${topic}`, route: `/dead-${topic}` },
  ]),
  {
    pubsubname: 'broker',
    topic: 'ruled',
    bulkSubscribe: BULK,
    routes: {
      rules: [{ match: 'event.type == "big"', path: '/ruled-big' }],
      default: '/ruled-small',
    },
  },
];

export const DECLARED = `
apiVersion: dapr.io/v1alpha1
kind: Subscription
metadata: { name: first }
spec:
  pubsubname: broker
  topic: declared-v1
  route: /declared/v1
  bulkSubscribe: { enabled: true, maxMessagesCount: 4, maxAwaitDurationMs: 300 }
scopes: [caller]
---
apiVersion: dapr.io/v2alpha1
kind: Subscription
metadata: { name: second }
spec:
  pubsubname: broker
  topic: declared-v2
  routes: { default: /declared/v2 }
  bulkSubscribe: { enabled: true, maxMessagesCount: 4, maxAwaitDurationMs: 300 }
scopes: [caller]
`;

export const RESILIENCY = `
apiVersion: dapr.io/v1alpha1
kind: Resiliency
metadata: { name: bulk }
spec:
  policies:
    retries: { soon: { policy: constant, duration: 10ms, maxRetries: 5 } }
  targets:
    components: { patient: { inbound: { retry: soon } } }
`;

const component = (name: string, type: string, metadata: string) => `
apiVersion: dapr.io/v1alpha1
kind: Component
metadata: { name: ${name} }
spec: { type: ${type}, version: v1, metadata: [${metadata}] }
scopes: [caller]
`;

const both = (type: string, metadata: string): string =>
  ['broker', 'patient'].map((name) => component(name, type, metadata)).join('---');

export const MEMORY = both('pubsub.in-memory', '');

/** Numbers, since daprd reads no `200ms` here. A group of its own for each make: they share the server. */
export const REDIS = (port: number): string =>
  both(
    'pubsub.redis',
    `{ name: redisHost, value: "127.0.0.1:${port}" }, { name: redisPassword, value: "" },
     { name: processingTimeout, value: "1000" }, { name: redeliverInterval, value: "300" }`,
  );
