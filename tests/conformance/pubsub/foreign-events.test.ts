import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { until } from '@holdfast/test-servers';
import type { AppMesh } from '../makes/app-mesh.ts';
import { bothMakes, type Make } from '../makes/both-makes.ts';
import { componentYaml } from '../makes/component-yaml.ts';
import type { Seen } from '../makes/echo-app.ts';
import { startSubscribedApp } from '../makes/subscribed-app.ts';

const RESOURCES = { 'bus.yaml': componentYaml('bus', 'pubsub.in-memory') };
const GIVEN = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
const SUBSCRIPTIONS = [
  { pubsubname: 'bus', topic: 'events', route: '/events' },
  {
    ...{ pubsubname: 'bus', topic: 'sorted' },
    routes: {
      rules: [{ match: 'event.type == "order" && event.source == "shop"', path: '/orders' }],
      default: '/others',
    },
  },
  { pubsubname: 'bus', topic: 'raw', route: '/raw', metadata: { rawPayload: 'true' } },
];

await bothMakes(foreignEvents);

/** Events that no Dapr has published: put into the broker as they are, by `rawPayload`. */
function foreignEvents(make: Make, executable: string | undefined): void {
  describe(`${make}, events of others`, () => {
    let seen: readonly Seen[];
    let mesh: AppMesh<'caller'>;
    before(async () => {
      const taken = () => ({ status: 200, body: '' });
      ({ mesh, seen } = await startSubscribedApp(executable, RESOURCES, SUBSCRIPTIONS, taken));
    });
    after(() => mesh.stop());

    /** Puts `body` into the broker, with these metadata, and resolves with what the application is sent. */
    const sent = async (
      topic: string,
      body: string | Buffer,
      metadata: Readonly<Record<string, string>> = {},
    ): Promise<Seen> => {
      const before = seen.length;
      const query = new URLSearchParams({ 'metadata.rawPayload': 'true' });
      for (const [name, value] of Object.entries(metadata)) query.set(`metadata.${name}`, value);
      const url = `http://127.0.0.1:${mesh.port('caller')}/v1.0/publish/bus/${topic}?${query}`;
      const { status } = await fetch(url, { method: 'POST', body });
      assert.equal(status, 204);
      await until(`${topic} is brought`, () => seen.length > before);
      return seen.at(-1)!;
    };

    test('a CloudEvent comes as the bytes that it is', async () => {
      const event =
        '{ "specversion":"1.0", "id":"7", "type":"t", "source":"s", "data":{"z":12345678901234567890,"a":1.0} }';
      const { body, headers } = await sent('events', event);
      assert.equal(body, event);
      assert.equal(headers['content-type'], 'application/cloudevents+json');
    });

    test('a CloudEvent in binary mode: its attributes decide its route, its data come as they are', async () => {
      const attributes = { ce_id: '1', ce_type: 'order', Ce_Source: 'shop' };
      const type = { 'content-type': 'application/octet-stream' };
      const order = await sent('sorted', 'any bytes', { ...attributes, ...type });
      assert.deepEqual([order.url, order.body, order.headers.ce_id], ['/orders', 'any bytes', '1']);
      const other = await sent('sorted', 'more', { ...attributes, ce_type: 'return', ...type });
      assert.deepEqual([other.url, other.body], ['/others', 'more']);
    });

    test('the trace that comes beside an event is its own, unless it tells one', async () => {
      const bare = '{"specversion":"1.0","id":"7","type":"t","source":"s","data":1}';
      const told = await sent('events', bare, { traceparent: GIVEN });
      assert.deepEqual([told.headers.traceparent, told.body], [GIVEN, bare]);
      const other = GIVEN.replace('00f067aa', '11f067aa');
      const own = await sent('events', `${bare.slice(0, -1)},"traceparent":"${other}"}`, {
        traceparent: GIVEN,
      });
      assert.equal(own.headers.traceparent, other);
      const raw = await sent('raw', 'bytes', { traceparent: GIVEN });
      const { traceid, traceparent } = JSON.parse(raw.body) as Record<string, unknown>;
      assert.deepEqual([raw.headers.traceparent, traceid, traceparent], [GIVEN, GIVEN, GIVEN]);
    });
  });
}
