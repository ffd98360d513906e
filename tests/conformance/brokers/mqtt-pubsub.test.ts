import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type MosquittoServer, mosquittoServer, suiteWith, until } from '@holdfast/test-servers';
import * as mqtt from 'mqtt';
import { bothMakes, type Make } from '../makes/both-makes.ts';
import { type Mesh, startMesh } from '../makes/mesh.ts';
import { event, eventApp } from './event-app.ts';

await suiteWith('pubsub.mqtt3', mosquittoServer, async (server) => {
  await bothMakes((make, executable) => conformance(make, executable, server));
});

/** Both makes have the same session at the broker, so that one can go on where the other ended. */
function conformance(make: Make, executable: string | undefined, { url }: MosquittoServer): void {
  describe(`${make}, pubsub.mqtt3`, () => {
    const consumerId = `shop-${make}`;
    // Of a make's own: a session that is away has its part of a group all the same.
    const shared = `$share/${make}/jobs`;
    const app = eventApp({
      ...{ wild: 'sensors/+/temp', raw: 'raw/#', shared },
      // Ours logs that it cannot be; daprd asks the broker for it, which ends the connection each time.
      ...(make === 'daprd' ? {} : { never: 'a#b' }),
    });
    let mesh: Mesh;
    before(async () => {
      mesh = await startMesh(executable, {
        instead: app.instead,
        resources: { 'mqtt.yaml': component(url, consumerId) },
      });
      const health = `http://127.0.0.1:${mesh.port('caller')}/v1.0/healthz`;
      await until('it is ready', async () => (await fetch(health)).ok);
    });
    after(() => mesh.stop());

    const publish = async (topic: string, body: string, query = '') => {
      const to = `http://127.0.0.1:${mesh.port('caller')}/v1.0/publish/broker/${topic}${query}`;
      const headers = { 'content-type': 'application/json' };
      const answer = await fetch(to, { method: 'POST', headers, body });
      return [answer.status, await answer.text()] as const;
    };

    test('an event is the body of a message, with nothing beside it', async () => {
      await using reader = await listen(url, 'layout');
      assert.deepEqual(await publish('layout', '{"n":1}', '?metadata.color=red'), [204, '']);
      const [packet] = await reader.arrived(1);
      await app.arrived('layout', 1);
      const { data, topic, source } = JSON.parse(String(packet?.payload));
      assert.deepEqual([data, topic, source], [{ n: 1 }, 'layout', 'caller']);
      assert.deepEqual([packet?.qos, packet?.retain], [1, false]);
    });

    test('the broker keeps what is to be retained', async () => {
      const topic = `kept-${make}`;
      assert.deepEqual(await publish(topic, '1', '?metadata.retain=true'), [204, '']);
      await using reader = await listen(url, topic);
      const [packet] = await reader.arrived(1);
      assert.equal(packet?.retain, true);
      const [status, text] = await publish(topic, '1', '?metadata.retain=maybe');
      assert.equal(status, 500);
      assert.match(text, /mqtt invalid retain maybe/);
    });

    test('what another wrote arrives', async () => {
      await send(url, 'early', event('early'));
      const { body, headers } = (await app.arrived('early', 1)).at(-1)!;
      assert.deepEqual([JSON.parse(body).data, headers.retained], ['early', 'false']);
    });

    test('topics may have levels and wildcards', async () => {
      assert.deepEqual(await publish('sensors/7/temp', '21'), [204, '']);
      await publish('sensors/7/humidity', '60');
      const seen = await app.arrived('wild', 1);
      await sleep(300);
      assert.deepEqual(
        (await app.arrived('wild', 1)).map(({ body }) => JSON.parse(body).topic),
        ['sensors/7/temp'],
      );
      assert.equal(seen.length, 1);
    });

    test('a raw event of a topic with wildcards says which topic it came from', async () => {
      await send(url, 'raw/a/b', 'not JSON');
      const [seen] = await app.arrived('raw', 1);
      const { data_base64: data, topic } = JSON.parse(seen!.body);
      assert.deepEqual([topic, String(Buffer.from(data, 'base64'))], ['raw/a/b', 'not JSON']);
    });

    test('a group of MQTT’s own shares the events', async () => {
      await using other = await listen(url, shared);
      for (let n = 0; n < 10; n += 1) await publish('jobs', String(n));
      const mine = await app.arrived('shared', 5);
      const theirs = await other.arrived(5);
      const all = [...mine.map(({ body }) => body), ...theirs.map(({ payload }) => payload)];
      assert.deepEqual(
        all.map((body) => JSON.parse(String(body)).data).toSorted(),
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
      );
    });

    test('the metadata say that topics may have wildcards', async () => {
      const answer = await fetch(`http://127.0.0.1:${mesh.port('caller')}/v1.0/metadata`);
      const { components } = (await answer.json()) as {
        components: { name: string; capabilities: string[] }[];
      };
      const { capabilities } = components.find(({ name }) => name === 'broker')!;
      assert.deepEqual(capabilities, ['SUBSCRIBE_WILDCARDS']);
    });

    test('what the application fails over is handed over again until it is taken', async () => {
      await publish('flaky', '1');
      // daprd does not acknowledge it and has it back when it connects the next time. Ours waits a
      // moment and hands it over again.
      const wanted = make === 'daprd' ? 1 : 3;
      const attempts = await app.arrived('flaky', wanted);
      await sleep(1_000);
      assert.equal((await app.arrived('flaky', wanted)).length, wanted);
      assert.equal(new Set(attempts.map(({ body }) => JSON.parse(body).id)).size, 1);
    });

    for (const topic of ['dropped', 'unknown']) {
      test(`${topic}: what nobody will ever want is done with`, async () => {
        await publish(topic, '1');
        await app.arrived(topic, 1);
        await sleep(500);
        assert.equal((await app.arrived(topic, 1)).length, 1);
      });
    }

    test('the session is named by the consumer id: what comes while it is away waits in it', async (t) => {
      await mesh.stop();
      await send(url, 'early', event('away'));
      const client = mqtt.connect(url, {
        ...{ protocolVersion: 4, clientId: consumerId, clean: false, reconnectPeriod: 0 },
      });
      const bodies: unknown[] = [];
      client.on('message', (_topic, payload) => bodies.push(JSON.parse(String(payload)).data));
      t.after(() => client.endAsync(true));
      await until(
        () => `the session had it, not ${bodies}`,
        () => bodies.includes('away'),
      );
    });
  });
}

/** Subscribes; gives so many of the messages that came. */
async function listen(url: string, filter: string) {
  const client = await mqtt.connectAsync(url, { protocolVersion: 4 });
  const packets: mqtt.IPublishPacket[] = [];
  client.on('message', (_topic, _payload, packet) => packets.push(packet));
  await client.subscribeAsync(filter, { qos: 1 });
  return {
    async arrived(count: number) {
      await until(`${count} packets are there`, () => packets.length >= count);
      assert.equal(packets.length, count);
      return packets;
    },
    [Symbol.asyncDispose]: () => client.endAsync(true),
  };
}

async function send(url: string, topic: string, body: string): Promise<void> {
  const client = await mqtt.connectAsync(url, { protocolVersion: 4 });
  await client.publishAsync(topic, body, { qos: 1 });
  await client.endAsync(true);
}

const component = (url: string, consumerId: string) => `
apiVersion: dapr.io/v1alpha1
kind: Component
metadata: { name: broker }
spec:
  type: pubsub.mqtt3
  version: v1
  metadata:
    - { name: url, value: "${url.replace('mqtt:', 'tcp:')}" }
    - { name: consumerID, value: "${consumerId}" }
scopes: [caller]
`;
