import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { eventually, type RedisServer, redisServer, suiteWith } from '@holdfast/test-servers';
import { Redis } from 'ioredis';
import { type AppMesh, startAppMesh } from '../makes/app-mesh.ts';
import { bothMakes, type Make } from '../makes/both-makes.ts';
import { componentYaml } from '../makes/component-yaml.ts';

await suiteWith('configuration.redis, told again', redisServer, async (server) => {
  await bothMakes((make, executable) => conformance(make, executable, server));
});

const RESILIENCY = `
apiVersion: dapr.io/v1alpha1
kind: Resiliency
metadata: { name: again }
spec:
  policies: { retries: { again: { policy: constant, duration: 10ms, maxRetries: 2 } } }
  targets: { components: { config: { inbound: { retry: again } } } }
`;

function conformance(make: Make, executable: string | undefined, { port }: RedisServer): void {
  describe(`${make}, what the application answers to a change of its configuration`, () => {
    let client: Redis;
    let mesh: AppMesh<'told'>;
    /** By what the application answers, how often it was told. */
    const told = new Map<number, number>();
    before(async () => {
      client = new Redis(port, '127.0.0.1');
      await client.flushall();
      const redis = { redisHost: `127.0.0.1:${port}` };
      const resources = {
        'config.yaml': componentYaml('config', 'configuration.redis', redis),
        'again.yaml': RESILIENCY,
      };
      mesh = await startAppMesh(executable, { told: { resources } }, undefined, ({ url }) => {
        const status = Number(/^\/configuration\/config\/s(\d+)$/.exec(url)?.[1]);
        if (Number.isNaN(status)) return undefined;
        told.set(status, (told.get(status) ?? 0) + 1);
        return { status, body: '' };
      });
    });
    after(async () => {
      client.disconnect();
      await mesh?.stop();
    });

    for (const [status, times] of [
      [200, 1],
      [201, 3],
      [204, 3],
      [404, 3],
      [500, 3],
    ] as const) {
      test(`${status}: it is told ${times === 1 ? 'once' : 'again'}`, async () => {
        const url = `http://127.0.0.1:${mesh.port('told')}/v1.0/configuration/config`;
        await (await fetch(`${url}/subscribe?key=s${status}`)).json();
        // daprd answers before it listens, and so the first writings may be for nobody.
        let writes = 0;
        const write = async () => {
          if (told.has(status)) return told.get(status)!;
          writes += 1;
          await client.set(`s${status}`, String(writes));
          return 0;
        };
        await eventually(write, (count) => count >= times, 'it is told');
        await new Promise((resolve) => setTimeout(resolve, 300));
        const count = told.get(status)!;
        assert.ok(count % times === 0 && count <= times * writes, `${count} for ${writes} writes`);
      });
    }
  });
}
