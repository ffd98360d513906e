import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { until } from '@holdfast/test-servers';
import { bothMakes, type Make } from '../makes/both-makes.ts';
import type { Seen } from '../makes/echo-app.ts';
import { type Mesh, startMesh } from '../makes/mesh.ts';
import { withKafka } from '../makes/with-kafka.ts';
import { eventApp } from './event-app.ts';

const COMPRESSIONS = ['gzip', 'snappy', 'lz4', 'zstd'] as const;

/** A name with a space, a wait that is longer than ours become, and a number as Go's source has them. */
const ODD = {
  clientID: 'orders service',
  consumeRetryInterval: '90s',
  maxMessageBytes: '0x100000',
};

type Answer = { readonly status: number; readonly body: string };

/** Brokers by how often they hand over what is never taken. */
const POISONED = { once: 1, thrice: 3 };

await withKafka('pubsub.kafka, what tunes it', async (address) => {
  await bothMakes((make, executable) => conformance(make, executable, address));
});

/** One topic in four compressions, read by whoever wrote it and, from the beginning, by the other make. */
function conformance(make: Make, executable: string | undefined, address: string): void {
  describe(`${make}, what tunes pubsub.kafka`, () => {
    const app = eventApp(Object.fromEntries(COMPRESSIONS.map((one) => [`in-${one}`, `in-${one}`])));
    const poisoned = poisonedApp(make, app.instead);
    let mesh: Mesh;
    before(async () => {
      const named = COMPRESSIONS.map((one) => [
        `${one}.yaml`,
        component(one, address, {
          compression: one,
          excludeHeaderMetaRegex: '(?i)^(Secret|other).*',
        }),
      ]);
      mesh = await startMesh(executable, {
        instead: poisoned.instead,
        resources: {
          'once.yaml': component('once', address, { consumeRetryEnabled: 'false', ...ODD }),
          'thrice.yaml': component('thrice', address, {
            backOffMaxRetries: '2',
            backOffDuration: '100ms',
          }),
          ...Object.fromEntries(named),
          'broker.yaml': component('broker', address, {
            consumerGroup: make,
            consumerFetchMin: '1',
            consumerFetchDefault: '65536',
            heartbeatInterval: '2s',
            sessionTimeout: '10s',
          }),
        },
      });
      const health = `http://127.0.0.1:${mesh.port('caller')}/v1.0/healthz`;
      await until('it is ready', async () => (await fetch(health)).ok);
    });
    after(() => mesh.stop());

    for (const compression of COMPRESSIONS) {
      test(`what is published in ${compression} arrives, without the headers that are excluded`, async () => {
        const at = `http://127.0.0.1:${mesh.port('caller')}/v1.0/publish/${compression}/in-${compression}`;
        // Long enough that squeezing it is worth something.
        const body = JSON.stringify({ by: make, text: 'x'.repeat(2_000) });
        const answer = await fetch(`${at}?metadata.mine=7&metadata.secretThing=8`, {
          ...{ method: 'POST', headers: { 'content-type': 'application/json' }, body },
        });
        assert.equal(answer.status, 204, await answer.text());
        // The second make reads from the beginning what the first wrote too.
        const wanted = make === 'holdfast' ? 1 : 2;
        const came = await app.arrived(`in-${compression}`, wanted);
        assert.deepEqual(
          came.map(({ body, headers }) => [
            JSON.parse(body).data.text.length,
            headers.mine,
            headers.secretthing,
          ]),
          Array(wanted).fill([2_000, '7', undefined]),
        );
      });
    }

    for (const [broker, times] of Object.entries(POISONED)) {
      test(`what the application fails over comes ${broker} where the metadata say so, and then what is behind it`, async () => {
        const at = `http://127.0.0.1:${mesh.port('caller')}/v1.0/publish/${broker}/${broker}-${make}?metadata.partitionKey=one`;
        const headers = { 'content-type': 'application/json' };
        for (const body of ['"poison"', '"next"']) {
          const answer = await fetch(at, { method: 'POST', headers, body });
          assert.equal(answer.status, 204, await answer.text());
        }
        assert.deepEqual(await poisoned.until(broker, 'next'), [
          ...Array<string>(times).fill('poison'),
          'next',
        ]);
      });
    }

    test('what should have a schema is refused where there is no registry', async () => {
      const at = `http://127.0.0.1:${mesh.port('caller')}/v1.0/publish/broker/early`;
      for (const [type, why] of [
        ['Avro', /schema registry details not set/],
        ['xml', /error parsing schema type\. 'xml' is not a supported value/],
      ] as const) {
        const answer = await fetch(
          `${at}?metadata.rawPayload=true&metadata.valueSchemaType=${type}`,
          {
            ...{ method: 'POST', body: '{}' },
          },
        );
        assert.equal(answer.status, 500);
        assert.match(await answer.text(), why);
      }
    });

    test('it says that it publishes many at once', async () => {
      const answer = await fetch(`http://127.0.0.1:${mesh.port('caller')}/v1.0/metadata`);
      const { components } = (await answer.json()) as {
        components: { name: string; capabilities?: string[] }[];
      };
      const { capabilities } = components.find(({ name }) => name === 'broker')!;
      assert.deepEqual(capabilities, ['BULK_PUBSUB']);
    });
  });
}

/** Subscribes to `once` and `thrice` as well, and never takes what is poison. */
function poisonedApp(make: Make, instead: (seen: Seen) => Answer | undefined) {
  const received = new Map<string, string[]>();
  const here = (broker: string) => received.get(broker) ?? [];
  return {
    instead(seen: Seen): Answer | undefined {
      if (seen.url === '/dapr/subscribe') {
        const more = Object.keys(POISONED).map((pubsubname) => ({
          ...{ pubsubname, topic: `${pubsubname}-${make}`, route: `/poisoned-${pubsubname}` },
        }));
        const others = JSON.parse(instead(seen)!.body) as object[];
        return { status: 200, body: JSON.stringify([...others, ...more]) };
      }
      const broker = /^\/poisoned-(.+)$/.exec(seen.url)?.[1];
      if (broker === undefined) return instead(seen);
      const { data } = JSON.parse(seen.body) as { data: string };
      received.set(broker, [...here(broker), data]);
      return { status: data === 'poison' ? 503 : 200, body: '' };
    },
    async until(broker: string, last: string): Promise<readonly string[]> {
      await until(`${last} is handed over`, () => here(broker).at(-1) === last);
      return here(broker);
    },
  };
}

function component(
  name: string,
  address: string,
  metadata: Readonly<Record<string, string>>,
): string {
  return `
apiVersion: dapr.io/v1alpha1
kind: Component
metadata: { name: ${name} }
spec:
  type: pubsub.kafka
  version: v1
  metadata:
    - { name: brokers, value: "${address}" }
    - { name: authType, value: none }
    - { name: version, value: 2.1.0 }
    - { name: initialOffset, value: oldest }
${Object.entries(metadata)
  .map(([item, value]) => `    - { name: ${item}, value: "${value}" }`)
  .join('\n')}
scopes: [caller]
`;
}
