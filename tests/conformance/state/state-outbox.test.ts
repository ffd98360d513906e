import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { until } from '@holdfast/test-servers';
import { bothMakes, type Make } from '../makes/both-makes.ts';
import type { Seen } from '../makes/echo-app.ts';
import { type Mesh, startMesh } from '../makes/mesh.ts';

await bothMakes(conformance);

/** Dapr's transactional outbox: what a transaction writes is told to a topic. */
function conformance(make: Make, executable: string | undefined): void {
  describe(`${make}, the outbox of a state store`, () => {
    const events: Record<string, unknown>[] = [];
    let mesh: Mesh;
    before(async () => {
      mesh = await startMesh(executable, {
        instead(seen: Seen) {
          if (seen.url === '/dapr/subscribe') return { status: 200, body: SUBSCRIBED };
          if (seen.url !== '/told') return undefined;
          events.push(JSON.parse(seen.body));
          return { status: 200, body: '' };
        },
        resources: { 'components.yaml': COMPONENTS },
      });
    });
    after(() => mesh.stop());

    const url = (rest: string) => `http://127.0.0.1:${mesh.port('caller')}/v1.0/state/${rest}`;
    const transact = async (store: string, operations: readonly Step[]) => {
      const headers = { 'content-type': 'application/json' };
      const wanted = operations.map(([operation, key, value, more = {}]) => ({
        operation,
        request: { key, value, ...more },
      }));
      const body = JSON.stringify({ operations: wanted });
      const answer = await fetch(url(`${store}/transaction`), { method: 'POST', headers, body });
      const text = await answer.text();
      return { status: answer.status, body: text === '' ? {} : JSON.parse(text) };
    };
    const told = async (count: number) => {
      await until(`${count} events have come`, () => events.length >= count);
      assert.equal(events.length, count);
      return events.splice(0);
    };

    test('each item that is written is an event with its metadata; what is deleted is none', async () => {
      const metadata = { own: 'mine', id: 'not this', data: 'nor this' };
      const written = await transact('store', [
        ['upsert', 'a', 'text', { metadata }],
        ['delete', 'b', undefined],
      ]);
      assert.equal(written.status, 204);
      const [event] = await told(1);
      const { id, time, traceid, traceparent, tracestate, ...rest } = event!;
      assert.match(String(id), /^outbox-[\da-f-]{36}$/);
      assert.match(String(time), /^\d{4}-/);
      assert.match(String(traceid), /^00-[\da-f]{32}-[\da-f]{16}-0\d$/);
      // daprd leaves out the newer of the two names.
      assert.deepEqual(traceparent, make === 'daprd' ? '' : traceid);
      assert.deepEqual(rest, {
        data: 'text',
        datacontenttype: 'text/plain',
        own: 'mine',
        pubsubname: 'bus',
        source: 'caller',
        specversion: '1.0',
        topic: 'told',
        type: 'com.dapr.event.sent',
      });
    });

    test('JSON is so where the item says that it is; else daprd prints it as Go does', async () => {
      const json = { metadata: { contentType: 'application/json' } };
      await transact('store', [['upsert', 'a', { n: 1 }, json]]);
      await transact('store', [['upsert', 'a', { n: 1 }]]);
      const data = (await told(2)).map((event) => [event.data, event.datacontenttype]);
      const plain = make === 'daprd' ? 'map[n:1]' : '{"n":1}';
      assert.deepEqual(data, [
        [{ n: 1 }, 'application/json'],
        [plain, 'text/plain'],
      ]);
    });

    test('a projection is told in place of what is written', async () => {
      const projection = { metadata: { 'outbox.projection': 'true' } };
      await transact('store', [
        ['upsert', 'p', 'written'],
        ['upsert', 'p', 'shown', projection],
      ]);
      assert.deepEqual(
        (await told(1)).map((event) => event.data),
        ['shown'],
      );
      assert.equal(await (await fetch(url('store/p'))).text(), '"written"');
    });

    test('nothing is written where the event cannot be published', async () => {
      const { body, status } = await transact('mute', [['upsert', 'm', 'v']]);
      const message = "error while publishing outbox message: pubsub 'nobody' not found";
      assert.deepEqual(
        [status, body.errorCode, body.message],
        [500, 'ERR_PUBLISH_OUTBOX', message],
      );
      assert.deepEqual(body.details, [
        {
          '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
          domain: 'dapr.io',
          metadata: { appID: 'caller', error: "pubsub 'nobody' not found" },
          reason: 'DAPR_PUBSUB_OUTBOX',
        },
      ]);
      assert.equal((await fetch(url('mute/m'))).status, 204);
    });

    const refused = {
      skip: make === 'daprd' && 'asked the same, daprd 1.18.0 did not answer within five minutes',
    };
    test('a transaction that is refused is not told', refused, async () => {
      const { status } = await transact('store', [['upsert', 'new', 'v', { etag: 'no such' }]]);
      assert.equal(status, 500);
      // In memory the next waits for the end of the search for this one.
      await transact('store', [['upsert', 'after', 'next']]);
      assert.deepEqual(
        (await told(1)).map((event) => event.data),
        ['next'],
      );
    });
  });
}

type Step = readonly [operation: string, key: string, value: unknown, more?: object];

const SUBSCRIBED = JSON.stringify([{ pubsubname: 'bus', topic: 'told', route: '/told' }]);

const store = (name: string, pubsub: string) => `
apiVersion: dapr.io/v1alpha1
kind: Component
metadata: { name: ${name} }
spec:
  type: state.in-memory
  version: v1
  metadata:
  - { name: outboxPublishPubsub, value: ${pubsub} }
  - { name: outboxPublishTopic, value: told }
scopes: [caller]
`;

const COMPONENTS = `
apiVersion: dapr.io/v1alpha1
kind: Component
metadata: { name: bus }
spec: { type: pubsub.in-memory, version: v1 }
scopes: [caller]
---${store('store', 'bus')}---${store('mute', 'nobody')}`;
