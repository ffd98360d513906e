import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type NatsServer, natsServer, suiteWith, until } from '@holdfast/test-servers';
import { type JetStreamManager, jetstreamManager } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { bothMakes, type Make } from '../makes/both-makes.ts';
import { type Mesh, startMesh } from '../makes/mesh.ts';
import { event, eventApp } from './event-app.ts';

const DOOMED = `
apiVersion: dapr.io/v2alpha1
kind: Subscription
metadata: { name: doomed }
spec:
  topic: doomed
  pubsubname: broker
  routes: { default: /on-doomed }
  deadLetterTopic: graves
`;

await suiteWith('pubsub.jetstream', natsServer, async (server) => {
  await bothMakes((make, executable) => conformance(make, executable, server), 'pubsub/jetstream');
});

/** Both makes use the same streams, subjects and consumers, so that they can share a NATS, and the events of a group. */
function conformance(make: Make, executable: string | undefined, { url }: NatsServer): void {
  describe(`${make}, pubsub.jetstream`, () => {
    const app = eventApp();
    const stream = `events-${make}`;
    let mesh: Mesh;
    let connection: NatsConnection;
    let manager: JetStreamManager;
    before(async () => {
      connection = await connect({ servers: url });
      manager = await jetstreamManager(connection);
      await manager.streams.add({
        name: stream,
        subjects: ['early', 'layout', 'flaky', 'dropped', 'unknown', 'doomed', 'graves'],
      });
      mesh = await startMesh(executable, {
        instead: (seen) =>
          seen.url === '/on-doomed' ? { status: 503, body: '' } : app.instead(seen),
        resources: { 'jetstream.yaml': component(url), 'doomed.yaml': DOOMED },
      });
      const health = `http://127.0.0.1:${mesh.port('caller')}/v1.0/healthz`;
      await until('it is ready', async () => (await fetch(health)).ok);
    });
    after(async () => {
      await mesh?.stop();
      // The subjects are the next make's.
      await manager.streams.delete(stream);
      await connection.close();
    });

    const publish = async (
      topic: string,
      body: string,
      contentType = 'application/json',
    ): Promise<readonly [number, string]> => {
      const to = `http://127.0.0.1:${mesh.port('caller')}/v1.0/publish/broker/${topic}`;
      const headers = { 'content-type': contentType };
      const answer = await fetch(to, { method: 'POST', headers, body });
      return [answer.status, await answer.text()];
    };

    test('an event is a message on the subject that is its topic, known by its id', async () => {
      assert.deepEqual(await publish('layout', '{"n":1}'), [204, '']);
      const message = await manager.streams.getMessage(stream, { last_by_subj: 'layout' });
      await app.arrived('layout', 1);
      const { data, id, topic, source } = message!.json<Record<string, unknown>>();
      const known = message!.header.get('Nats-Msg-Id');
      assert.deepEqual([data, topic, source, known], [{ n: 1 }, 'layout', 'caller', id]);
    });

    test('the application hears of the subject', async () => {
      const [first] = await app.arrived('layout', 1);
      assert.equal(first!.headers.topic, 'layout');
    });

    test('what another wrote arrives', async () => {
      const seen = (await app.arrived('early', 0)).length;
      await manager.jetstream().publish('early', event('early'));
      const last = (await app.arrived('early', seen + 1)).at(-1)!;
      assert.equal(JSON.parse(last.body).data, 'early');
    });

    test('an event published twice with its id arrives once', async () => {
      const seen = (await app.arrived('layout', 1)).length;
      const own = JSON.stringify({ ...JSON.parse(event('twice')), topic: 'layout' });
      for (let times = 0; times < 2; times += 1) {
        assert.equal((await publish('layout', own, 'application/cloudevents+json'))[0], 204);
      }
      await app.arrived('layout', seen + 1);
      await sleep(300);
      assert.equal((await app.arrived('layout', seen + 1)).length, seen + 1);
    });

    test('each topic has a consumer that pushes what is on its subject', async () => {
      const consumers = [];
      for await (const { config, push_bound } of manager.consumers.list(stream)) {
        const { ack_policy, deliver_policy, filter_subject } = config;
        consumers.push({ ack_policy, deliver_policy, filter_subject, push_bound });
      }
      const wanted = ['doomed', 'dropped', 'early', 'flaky', 'layout', 'unknown'].map(
        (filter_subject) => ({
          ...{ ack_policy: 'explicit', deliver_policy: 'all', filter_subject, push_bound: true },
        }),
      );
      assert.deepEqual(
        consumers.toSorted((a, b) => (a.filter_subject! < b.filter_subject! ? -1 : 1)),
        wanted,
      );
    });

    test('what the application fails over is handed over again until it is taken', async () => {
      const published = Date.now();
      await publish('flaky', '1');
      const attempts = await app.arrived('flaky', 3);
      const tookMs = Date.now() - published;
      await sleep(500);
      assert.equal((await app.arrived('flaky', 3)).length, 3);
      assert.equal(new Set(attempts.map(({ body }) => JSON.parse(body).id)).size, 1);
      // daprd hands it over again at once, and again, as long as it fails; ours waits 100 ms, then 200 ms.
      if (make === 'holdfast') assert.ok(tookMs >= 300, `${tookMs} ms`);
    });

    for (const topic of ['dropped', 'unknown']) {
      test(`${topic}: what nobody will ever want is done with`, async () => {
        await publish(topic, '1');
        await app.arrived(topic, 1);
        await sleep(500);
        assert.equal((await app.arrived(topic, 1)).length, 1);
      });
    }

    test('a dead letter is kept, although the stream knows its id already', async () => {
      await publish('doomed', '"doomed"');
      const graves = async () =>
        (await manager.streams.info(stream, { subjects_filter: 'graves' })).state.subjects ?? {};
      // Patient with us; of daprd there is nothing to wait for.
      if (make === 'daprd') await sleep(1_000);
      else await until('it is in its grave', async () => 'graves' in (await graves()));
      // daprd publishes it under the same id, and JetStream takes it for the event itself: it is gone.
      assert.deepEqual(await graves(), make === 'daprd' ? {} : { graves: 1 });
    });

    test('a topic that no stream has cannot be published to', async () => {
      const [status, body] = await publish('nobody', '1');
      assert.equal(status, 500);
      assert.match(body, /"errorCode":"ERR_PUBSUB_PUBLISH_MESSAGE"/);
    });
  });
}

function component(url: string): string {
  return `
apiVersion: dapr.io/v1alpha1
kind: Component
metadata: { name: broker }
spec:
  type: pubsub.jetstream
  version: v1
  metadata:
    - { name: natsURL, value: "${url}" }
scopes: [caller]
`;
}
