import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { until } from '@holdfast/test-servers';
import { type AppMesh, startAppMesh } from '../makes/app-mesh.ts';
import { bothMakes, type Make } from '../makes/both-makes.ts';
import type { Seen } from '../makes/echo-app.ts';

const DEAD = { deadLetterTopic: 'dead' };
const NEVER = { routes: { rules: [{ match: 'event.type == "never"', path: '/on-ruled' }] } };

/** What the application answers by topic, and how the end is counted: status, what the app said, how often. */
const TOPICS: Readonly<
  Record<string, { wanted?: object; answer: readonly [number, string]; counted: readonly string[] }>
> = {
  taken: { answer: [200, ''], counted: ['success success 1'] },
  dropped: { answer: [200, '{"status":"DROP"}'], counted: ['drop success 1'] },
  absent: { answer: [404, ''], counted: ['drop drop 1'] },
  // Every attempt of the policy, and that there was no end to it.
  again: { answer: [200, '{"status":"RETRY"}'], counted: ['retry retry 4'] },
  odd: { answer: [200, '{"status":"ODD"}'], counted: ['retry retry 4'] },
  failing: { answer: [503, ''], counted: ['retry retry 4'] },
  droppeddead: { wanted: DEAD, answer: [200, '{"status":"DROP"}'], counted: ['drop success 1'] },
  absentdead: { wanted: DEAD, answer: [404, ''], counted: ['drop drop 1'] },
  failingdead: { wanted: DEAD, answer: [503, ''], counted: ['drop drop 1', 'retry retry 3'] },
  unrouted: { wanted: NEVER, answer: [200, ''], counted: ['drop success 1'] },
  unrouteddead: { wanted: { ...NEVER, ...DEAD }, answer: [200, ''], counted: ['drop success 1'] },
};

const RESOURCES = `apiVersion: dapr.io/v1alpha1
kind: Component
metadata: { name: bus }
spec: { type: pubsub.in-memory, version: v1, metadata: [] }
`;

const POLICIES = `apiVersion: dapr.io/v1alpha1
kind: Resiliency
metadata: { name: patient }
spec:
  policies: { retries: { twice: { policy: constant, duration: 10ms, maxRetries: 2 } } }
  targets: { components: { bus: { inbound: { retry: twice }, outbound: { retry: twice } } } }
`;

function instead({ url }: Seen) {
  if (url === '/dapr/subscribe') {
    const wanted = Object.entries(TOPICS).map(([topic, { wanted: more }]) => ({
      ...{ pubsubname: 'bus', topic },
      ...(more !== undefined && 'routes' in more ? {} : { route: `/on-${topic}` }),
      ...more,
    }));
    return { status: 200, body: JSON.stringify(wanted) };
  }
  const topic = TOPICS[/^\/on-(.+)$/.exec(url)?.[1] ?? ''];
  return topic === undefined ? undefined : { status: topic.answer[0], body: topic.answer[1] };
}

await bothMakes(counted);

function counted(make: Make, executable: string | undefined): void {
  describe(`${make}, how events are counted`, () => {
    let mesh: AppMesh<'heard'>;
    before(async () => {
      const resources = { 'bus.yaml': RESOURCES, 'policies.yaml': POLICIES };
      mesh = await startAppMesh(executable, { heard: { resources } }, undefined, instead);
      const metadata = `http://127.0.0.1:${mesh.port('heard')}/v1.0/metadata`;
      const known = async () => (await (await fetch(metadata)).text()).includes('/on-failing');
      await until('it has subscribed', known);
    });
    after(() => mesh.stop());

    for (const [topic, { counted }] of Object.entries(TOPICS)) {
      test(`${topic}: ${counted.join(', ')}`, async () => {
        const url = `http://127.0.0.1:${mesh.port('heard')}/v1.0/publish/bus/${topic}`;
        assert.equal((await fetch(url, { method: 'POST', body: '1' })).status, 204);
        const seen = async () => {
          const series = `pubsub_ingress_count\\{.*process_status="(.*?)",status="(.*?)",topic="${topic}"\\} (\\d+)`;
          const found = (await scrape()).matchAll(new RegExp(series, 'g'));
          return [...found].map(([, ...of]) => of.join(' ')).sort();
        };
        const wanted = counted.join();
        await until(wanted, async () => (await seen()).join() === wanted);
      });
    }

    test('a publication is counted where it meets a policy', async () => {
      const label = 'flow_direction="outbound",name="patient"';
      const count = new RegExp(
        `^dapr_resiliency_count\\{.*${label}.*target="Pubsub_bus"\\} (\\d+)`,
        'm',
      );
      // Those to the dead letters as well.
      assert.ok(Number(count.exec(await scrape())?.[1]) >= Object.keys(TOPICS).length);
    });

    const scrape = async (): Promise<string> =>
      (await fetch(`http://127.0.0.1:${mesh.metricsPort('heard')}/`)).text();
  });
}
