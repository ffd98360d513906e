import os from 'node:os';
import path from 'node:path';

/** What Dapr's own SDK tests have beside them, as far as it needs no more than a Redis, by the same names. */
export function components(redisPort: number): Readonly<Record<string, string>> {
  const redis = { redisHost: `127.0.0.1:${redisPort}`, redisPassword: '' };
  const files = [
    component('pubsub-redis', 'pubsub.redis', { ...redis, processingTimeout: '0' }),
    component('state-redis', 'state.redis', redis),
    component('config-redis', 'configuration.redis', redis),
    // Builds of daprd with stable components alone do not have it.
    component('lock-redis', 'lock.redis', redis, 'ignoreErrors: true, '),
    component('secret-envvars', 'secretstores.local.env', {}),
    component('files', 'bindings.localstorage', {
      rootPath: path.join(os.tmpdir(), 'holdfast-sdk-files'),
    }),
    component('tick', 'bindings.cron', { schedule: '@every 1s', direction: 'input' }),
  ];
  return { 'components.yaml': files.join('---\n'), 'resiliency.yaml': RESILIENCY };
}

function component(
  name: string,
  type: string,
  metadata: Readonly<Record<string, string>>,
  more = '',
): string {
  const items = Object.entries(metadata).map(
    ([key, value]) => `{ name: ${key}, value: ${JSON.stringify(value)} }`,
  );
  return `apiVersion: dapr.io/v1alpha1
kind: Component
metadata: { name: ${name} }
spec: { ${more}type: ${type}, version: v1, metadata: [${items.join(', ')}] }
`;
}

const RESILIENCY = `apiVersion: dapr.io/v1alpha1
kind: Resiliency
metadata: { name: of-the-sdk }
spec:
  policies:
    retries:
      DefaultComponentInboundRetryPolicy: { policy: constant, duration: 250ms, maxRetries: 5 }
`;
