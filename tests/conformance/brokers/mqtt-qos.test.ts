import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type MosquittoServer, mosquittoServer, Unavailable, until } from '@holdfast/test-servers';
import * as mqtt from 'mqtt';
import { bothMakes, type Make } from '../makes/both-makes.ts';
import { type Mesh, startMesh } from '../makes/mesh.ts';
import { eventApp } from './event-app.ts';

const server = await mosquittoServer();
if (server instanceof Unavailable) {
  if (process.env.CI === 'true') throw new Error(server.why);
  test('pubsub.mqtt3, levels of service', { skip: server.why }, () => {});
} else {
  after(() => server.process.remove());
  await bothMakes((make, executable) => {
    for (const qos of [0, 1, 2] as const) conformance(make, { executable, qos }, server);
  });
}

/** What `qos`, `retain` and `cleanSession` of a component make of its events. */
function conformance(
  make: Make,
  { executable, qos }: { readonly executable: string | undefined; readonly qos: 0 | 1 | 2 },
  { url }: MosquittoServer,
): void {
  describe(`${make}, pubsub.mqtt3 with qos ${qos}`, () => {
    const consumerId = `level-${make}-${qos}`;
    const topic = (name: string) => `${name}/${make}/${qos}`;
    const app = eventApp({ many: topic('many') });
    let mesh: Mesh;
    before(async () => {
      mesh = await startMesh(executable, {
        instead: app.instead,
        resources: {
          'mqtt.yaml': component('broker', url, { consumerID: consumerId, qos: `${qos}` }),
          'kept.yaml': component('kept', url, {
            ...{ consumerID: `${consumerId}-kept`, qos: `${qos}`, retain: 'true' },
          }),
          'clean.yaml': component('clean', url, {
            ...{ consumerID: `${consumerId}-clean`, qos: `${qos}`, cleanSession: 'true' },
          }),
        },
      });
      const health = `http://127.0.0.1:${mesh.port('caller')}/v1.0/healthz`;
      await until('it is ready', async () => (await fetch(health)).ok);
    });
    after(() => mesh.stop());

    const publish = async (broker: string, to: string, body: string) => {
      const at = `http://127.0.0.1:${mesh.port('caller')}/v1.0/publish/${broker}/${to}`;
      const headers = { 'content-type': 'application/json' };
      const answer = await fetch(at, { method: 'POST', headers, body });
      assert.equal(answer.status, 204, await answer.text());
    };

    test('an event is published with it', async () => {
      await using reader = await listen(url, topic('told'));
      await publish('broker', topic('told'), '1');
      const [packet] = await reader.arrived(1);
      assert.deepEqual([packet?.qos, packet?.retain], [qos, false]);
    });

    test('events that are published together all come, once each', async () => {
      // Mosquitto drops what is more than twenty of QoS 2 at a time, without a word in MQTT 3.1.1: daprd
      // answers 204 and loses some of sixty. Ours sends no more than twenty ahead.
      const sent = Array.from({ length: make === 'daprd' && qos === 2 ? 10 : 60 }, (_, n) => n);
      await Promise.all(sent.map((n) => publish('broker', topic('many'), String(n))));
      await app.arrived('many', sent.length);
      await sleep(300);
      const came = (await app.arrived('many', sent.length)).map(
        ({ body }) => JSON.parse(body).data as number,
      );
      assert.deepEqual(
        came.toSorted((a, b) => a - b),
        sent,
      );
    });

    test('with retain the broker keeps what nobody said otherwise of', async () => {
      await publish('kept', topic('last'), '1');
      await using reader = await listen(url, topic('last'));
      const [packet] = await reader.arrived(1);
      assert.equal(packet?.retain, true);
      await publish('kept', `${topic('other')}?metadata.retain=false`, '1');
      await using none = await listen(url, topic('other'));
      await sleep(300);
      assert.deepEqual(await none.arrived(0), []);
    });

    test('with cleanSession the broker keeps no session', async () => {
      await mesh.stop();
      const present = async (clientId: string) => {
        const client = mqtt.connect(url, { protocolVersion: 4, clientId, clean: false });
        const has = await new Promise<boolean>((resolve) => {
          client.on('connect', ({ sessionPresent }) => resolve(sessionPresent));
        });
        await client.endAsync(true);
        return has;
      };
      assert.deepEqual(
        [await present(consumerId), await present(`${consumerId}-clean`)],
        [true, false],
      );
    });
  });
}

async function listen(url: string, filter: string) {
  const client = await mqtt.connectAsync(url, { protocolVersion: 4 });
  const packets: mqtt.IPublishPacket[] = [];
  client.on('message', (_topic, _payload, packet) => packets.push(packet));
  await client.subscribeAsync(filter, { qos: 2 });
  return {
    async arrived(count: number) {
      await until(`${count} packets are there`, () => packets.length >= count);
      assert.equal(packets.length, count);
      return packets;
    },
    [Symbol.asyncDispose]: () => client.endAsync(true),
  };
}

const component = (name: string, url: string, metadata: Readonly<Record<string, string>>) => `
apiVersion: dapr.io/v1alpha1
kind: Component
metadata: { name: ${name} }
spec:
  type: pubsub.mqtt3
  version: v1
  metadata:
    - { name: url, value: "${url.replace('mqtt:', 'tcp:')}" }
${Object.entries(metadata)
  .map((pair) => `    - { name: ${pair[0]}, value: "${pair[1]}" }`)
  .join('\n')}
scopes: [caller]
`;
