import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '@holdfast/test-servers';
import { bothMakes, type Make } from '../makes/both-makes.ts';
import { componentYaml } from '../makes/component-yaml.ts';
import type { Seen } from '../makes/echo-app.ts';
import { type SubscribedApp, startSubscribedApp } from '../makes/subscribed-app.ts';

const bulkSubscribe = { enabled: true, maxMessagesCount: 1, maxAwaitDurationMs: 100 };
const one = (pubsubname: string, topic: string, more: object = {}) => ({
  ...{ pubsubname, topic, route: `/${pubsubname}/${topic}` },
  ...more,
});
const SUBSCRIPTIONS = [
  ...['scoped', 'guarded'].flatMap((bus) => [
    one(bus, 'orders', { deadLetterTopic: 'dead' }),
    one(bus, 'many', { deadLetterTopic: 'dead', bulkSubscribe }),
    one(bus, 'dead'),
  ]),
];
const RESOURCES = {
  'scoped.yaml': componentYaml('scoped', 'pubsub.in-memory', {
    publishingScopes: 'caller=orders,many',
  }),
  'guarded.yaml': componentYaml('guarded', 'pubsub.in-memory'),
  'policies.yaml': `apiVersion: dapr.io/v1alpha1
kind: Resiliency
metadata: { name: policies }
spec:
  policies: { retries: { some: { policy: constant, duration: 10ms, maxRetries: 2 } } }
  targets: { components: { guarded: { outbound: { retry: some } } } }
`,
};

await bothMakes(deadLetters);

/** A dead letter is published like an event of the application: scopes and outbound policies hold for it. */
function deadLetters(make: Make, executable: string | undefined): void {
  describe(`${make}, publishing of dead letters`, () => {
    let mesh: SubscribedApp['mesh'];
    let seen: SubscribedApp['seen'];
    before(async () => {
      const answer = ({ url }: Seen) => ({ status: url.endsWith('/dead') ? 200 : 404, body: '' });
      ({ mesh, seen } = await startSubscribedApp(executable, RESOURCES, SUBSCRIPTIONS, answer));
    });
    const came = (path: string): boolean => seen.some(({ url }) => url === path);
    after(() => mesh.stop());

    const publish = async (to: string) => {
      const url = `http://127.0.0.1:${mesh.port('caller')}/v1.0/publish/${to}`;
      assert.equal((await fetch(url, { method: 'POST', body: '1' })).status, 204);
      await until(`${to} is brought`, () => came(`/${to}`));
    };

    test('a topic that the application may not publish to gets none', async () => {
      await publish('scoped/orders');
      await sleep(500);
      assert.equal(came('/scoped/dead'), false);
    });

    test('outbound policies are asked', async () => {
      const asked = async () => {
        const page = await (await fetch(`http://127.0.0.1:${mesh.metricsPort('caller')}/`)).text();
        const line =
          /^dapr_resiliency_count\{.*flow_direction="outbound".*target="Pubsub_guarded"\} (\d+)$/m;
        return Number(line.exec(page)?.[1] ?? 0);
      };
      await publish('guarded/orders');
      await until('it is dead', () => came('/guarded/dead'));
      // Once for the event, once for its letter.
      await until('both were counted', async () => (await asked()) === 2);
    });
  });
}
