import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { eventually, until } from '@holdfast/test-servers';
import { COMPONENTS, RESILIENCY, SUBSCRIPTIONS, WANTED } from '../cases/pubsub.ts';
import { bothMakes, type Make } from '../makes/both-makes.ts';
import type { Seen } from '../makes/echo-app.ts';
import { type Mesh, startMesh } from '../makes/mesh.ts';

type Event = Readonly<Record<string, unknown>>;

await bothMakes(conformance);

/** Each test holds for both makes; topics are a test's own. */
function conformance(make: Make, executable: string | undefined): void {
  describe(`${make}, publish and subscribe`, () => {
    const app = eventApp();
    let mesh: Mesh;
    before(async () => {
      mesh = await startMesh(executable, {
        instead: app.instead,
        resources: {
          'pubsub.yaml': COMPONENTS,
          'subscriptions.yaml': SUBSCRIPTIONS,
          'pubsub-policies.yaml': RESILIENCY,
        },
      });
      // Ready is who has subscribed.
      const url = `http://127.0.0.1:${mesh.port('caller')}/v1.0/healthz`;
      await until('it is ready', async () => (await fetch(url)).ok);
    });
    after(() => mesh.stop());

    const publish = async (
      topic: string,
      body: string | Buffer,
      { query = '', type = 'application/json', pubsub = 'broker', api = 'v1.0/publish' } = {},
    ) => {
      const url = `http://127.0.0.1:${mesh.port('caller')}/${api}/${pubsub}/${topic}${query}`;
      const headers = { 'content-type': type };
      const answer = await fetch(url, { method: 'POST', headers, body });
      const text = await answer.text();
      return { status: answer.status, body: text === '' ? '' : JSON.parse(text) };
    };
    const published = async (...given: Parameters<typeof publish>) => {
      assert.deepEqual(await publish(...given), { status: 204, body: '' });
    };

    test('an event arrives as a CloudEvent, with the header of its broker', async () => {
      await published('plain', '{"n":1}');
      const [seen] = await app.arrived('/on-plain', 1);
      const { id, time, traceid, traceparent, tracestate, ...event } = eventOf(seen!);
      assert.deepEqual(event, {
        data: { n: 1 },
        datacontenttype: 'application/json',
        pubsubname: 'broker',
        source: 'caller',
        specversion: '1.0',
        topic: 'plain',
        type: 'com.dapr.event.sent',
      });
      assert.match(String(id), /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/);
      assert.match(String(time), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)$/);
      assert.equal(traceid, traceparent);
      assert.equal(tracestate, '');
      const { 'content-type': type, pubsubname } = seen!.headers;
      assert.deepEqual(
        [seen!.method, type, pubsubname],
        ['POST', 'application/cloudevents+json', 'broker'],
      );
    });

    test('data by its content type: text, bytes, JSON that is none', async () => {
      await published('types', 'hello', { type: 'text/plain' });
      await published('types', '<a/>', { type: 'application/xml' });
      await published('types', Buffer.from([0, 255]), { type: 'application/octet-stream' });
      await published('types', '{"a":', { type: 'application/json' });
      const events = (await app.arrived('/on-types', 4)).map(eventOf);
      assert.deepEqual(
        events
          .map(({ data, data_base64: base64, datacontenttype: type }) => [type, data, base64])
          .sort(),
        [
          ['application/json', '{"a":', undefined],
          ['application/octet-stream', undefined, 'AP8='],
          ['application/xml', '<a/>', undefined],
          ['text/plain', 'hello', undefined],
        ],
      );
    });

    test('a CloudEvent of the client stays as it is, but for where it goes', async () => {
      const own = {
        specversion: '1.0',
        type: 'order',
        source: 'shop',
        id: '7',
        data: 1,
        mine: 'x',
      };
      const body = JSON.stringify({ ...own, topic: 'elsewhere' });
      await published('own', body, { type: 'application/cloudevents+json' });
      const [event] = (await app.arrived('/on-own', 1)).map(eventOf);
      const { data, id, mine, pubsubname, source, topic, type } = event!;
      assert.deepEqual(
        { data, id, mine, pubsubname, source, topic, type },
        {
          data: 1,
          id: '7',
          mine: 'x',
          pubsubname: 'broker',
          source: 'shop',
          topic: 'own',
          type: 'order',
        },
      );
    });

    test('numbers arrive as they were written, also those that JavaScript cannot hold', async () => {
      const numbers = '[9007199254740993,12345678901234567890,1.0,2e3]';
      await published('exact', numbers);
      await published('exact', `{"id":"1","mine":0.50,"data":${numbers}}`, {
        type: 'application/cloudevents+json',
      });
      const [plain, own] = (await app.arrived('/on-exact', 2)).map(({ body }) => body).sort();
      assert.ok(plain!.startsWith(`{"data":${numbers},"datacontenttype"`), plain);
      assert.ok(own!.startsWith(`{"data":${numbers},"id":"1","mine":0.50,`), own);
    });

    test('an event arrives byte for byte as it was published without an envelope of ours', async () => {
      const written = '{ "id": "2", "data" : {"b":1.0, "a":"\\u003c"} }';
      await published('bytes', written, { query: '?metadata.rawPayload=true' });
      const [seen] = await app.arrived('/on-bytes', 1);
      assert.equal(seen!.body, written);
    });

    test('metadata says what is in the envelope, and when it is over', async () => {
      const query =
        '?metadata.cloudevent.type=t&metadata.cloudevent.source=s&metadata.ttlInSeconds=60';
      await published('meta', '1', { query });
      const [event] = (await app.arrived('/on-meta', 1)).map(eventOf);
      assert.deepEqual([event!.type, event!.source], ['t', 's']);
      const lives = Date.parse(String(event!.expiration)) - Date.now();
      assert.ok(lives > 0 && lives <= 60_000, `${event!.expiration}`);
    });

    test('rules choose the path, the first that takes it; what none takes has its default', async () => {
      for (const type of ['big', 'small', 'other']) {
        await published('ruled', '1', { query: `?metadata.cloudevent.type=${type}` });
      }
      for (const type of ['big', 'small']) {
        const [event] = (await app.arrived(`/ruled-${type}`, 1)).map(eventOf);
        assert.equal(event!.type, type);
      }
      const [event] = (await app.arrived('/ruled-default', 1)).map(eventOf);
      assert.equal(event!.type, 'other');
    });

    for (const topic of ['dropped', 'unknown', 'failing', 'retried']) {
      test(`${topic}: what the application does not take goes to the dead letters, once`, async () => {
        await published(topic, `"${topic}"`);
        const letters = await app.arrived(`/dead-${topic}`, 1);
        assert.deepEqual(
          letters.map((seen) => eventOf(seen).data),
          [topic],
        );
        assert.equal((await app.arrived(`/on-${topic}`, 1)).length, 1);
      });
    }

    test('an inbound policy tries again until the application takes it', async () => {
      await published('flaky', '1', { pubsub: 'patient' });
      const attempts = await app.arrived('/on-flaky', 3);
      assert.deepEqual(new Set(attempts.map((seen) => eventOf(seen).id)).size, 1);
    });

    test('raw events go without an envelope and arrive in one', async () => {
      await published('raw', '{"n":1}', { query: '?metadata.rawPayload=true' });
      const [event] = (await app.arrived('/on-raw', 1)).map(eventOf);
      const { data_base64: base64, datacontenttype: type, source, topic } = event!;
      assert.deepEqual(
        [base64, type, source, topic],
        [Buffer.from('{"n":1}').toString('base64'), 'application/octet-stream', 'Dapr', 'raw'],
      );
    });

    for (const version of ['v1', 'v2']) {
      test(`a Subscription of ${version} delivers`, async () => {
        await published(`declared-${version}`, '1');
        assert.equal((await app.arrived(`/declared/${version}`, 1)).length, 1);
      });
    }

    test('many at once: each entry is an event', async () => {
      const entries = [1, 2].map((n) => ({
        entryId: `${n}`,
        event: { n },
        contentType: 'application/json',
      }));
      for (const api of ['v1.0/publish/bulk', 'v1.0-alpha1/publish/bulk']) {
        await published('bulk', JSON.stringify(entries), { api });
      }
      const events = (await app.arrived('/on-bulk', 4)).map(eventOf);
      assert.deepEqual(events.map(({ data }) => (data as { n: number }).n).sort(), [1, 1, 2, 2]);
    });

    test('many at once: what is said of all is of the entries that say something themselves', async () => {
      const entries = [{ mine: '1' }, {}, undefined].map((metadata, at) => ({
        ...{ entryId: `${at}`, event: `${at}`, contentType: 'text/plain', metadata },
      }));
      const query = '?metadata.cloudevent.type=of-all&metadata.ttlInSeconds=60';
      await published('said', JSON.stringify(entries), { api: 'v1.0/publish/bulk', query });
      const events = (await app.arrived('/on-said', 3)).map(eventOf) as Record<string, string>[];
      const seen = events.map(({ data, expiration, type }) => [
        data,
        type,
        expiration !== undefined,
      ]);
      assert.deepEqual(seen.toSorted(), [
        ['0', 'of-all', true],
        ['1', 'of-all', true],
        ['2', 'com.dapr.event.sent', false],
      ]);
    });

    test('many at once: what cannot be read is refused', async () => {
      const api = 'v1.0/publish/bulk';
      const twice = [1, 1].map((n) => ({ entryId: `${n}`, event: 'a', contentType: 'text/plain' }));
      for (const body of [
        'no json',
        JSON.stringify(twice),
        '[{"entryId":"1","event":1,"contentType":"text/plain"}]',
        '[{"event":"a","contentType":"text/plain"}]',
      ]) {
        const answer = await publish('bulk', body, { api });
        assert.deepEqual(
          [answer.status, answer.body.errorCode],
          [400, 'ERR_PUBSUB_EVENTS_SER'],
          body,
        );
      }
    });

    test('scopes keep an application from topics, and the error says so', async () => {
      await published('open', '1', { pubsub: 'scoped' });
      const { status, body } = await publish('closed', '1', { pubsub: 'scoped' });
      const message = 'topic closed is not allowed for app id caller';
      assert.deepEqual(
        [status, body.errorCode, body.message],
        [403, 'ERR_PUBSUB_FORBIDDEN', message],
      );
    });

    test('a broker that is not there', async () => {
      const { status, body } = await publish('plain', '1', { pubsub: 'nobody' });
      assert.deepEqual(
        [status, body.errorCode, body.message],
        [404, 'ERR_PUBSUB_NOT_FOUND', 'pubsub nobody is not found'],
      );
    });

    test('a CloudEvent that is none is refused', async () => {
      const { status, body } = await publish('own', 'no json', {
        type: 'application/cloudevents+json',
      });
      assert.deepEqual([status, body.errorCode], [500, 'ERR_PUBSUB_CLOUD_EVENTS_SER']);
      assert.equal(body.details.at(-1).reason, 'DAPR_PUBSUB_CLOUD_EVENT_CREATION');
    });

    test('the metadata lists what is subscribed to', async () => {
      const answer = await fetch(`http://127.0.0.1:${mesh.port('caller')}/v1.0/metadata`);
      const { subscriptions } = (await answer.json()) as { subscriptions: readonly Event[] };
      const find = (topic: string) => subscriptions.find((one) => one.topic === topic);
      assert.deepEqual(find('ruled'), {
        pubsubname: 'broker',
        topic: 'ruled',
        rules: [
          { match: 'event.type == "big"', path: '/ruled-big' },
          { match: 'event.type.startsWith("sm")', path: '/ruled-small' },
          { path: '/ruled-default' },
        ],
        deadLetterTopic: '',
        type: 'PROGRAMMATIC',
      });
      assert.equal(find('declared-v2')?.type, 'DECLARATIVE');
    });

    test('the metrics count what was published and what became of it', async () => {
      const page = await fetch(`http://127.0.0.1:${mesh.metricsPort('caller')}/metrics`);
      const text = await page.text();
      assert.match(
        text,
        /^dapr_component_pubsub_egress_count\{app_id="caller",component="broker",namespace="[^"]*",success="true",topic="plain"\} 1$/m,
      );
      assert.match(
        text,
        /^dapr_component_pubsub_egress_bulk_count\{app_id="caller",component="broker",namespace="[^"]*",success="true",topic="bulk"\} 2$/m,
      );
      assert.match(
        text,
        /^dapr_component_pubsub_ingress_count\{app_id="caller",component="broker",namespace="[^"]*",process_status="success",status="[^"]*",topic="plain"\} 1$/m,
      );
    });
  });
}

const eventOf = ({ body }: Seen): Event => JSON.parse(body) as Event;

/** An application that says what it subscribes to, and takes events or not, as their path has it. */
function eventApp() {
  const received = new Map<string, Seen[]>();
  const verdicts: Readonly<Record<string, (call: number) => [status: number, body: string]>> = {
    '/on-dropped': () => [200, '{"status":"DROP"}'],
    '/on-unknown': () => [404, ''],
    '/on-failing': () => [500, 'no'],
    '/on-retried': () => [200, '{"status":"RETRY"}'],
    '/on-flaky': (call) => (call < 3 ? [503, 'later'] : [200, '']),
  };
  return {
    instead(seen: Seen) {
      if (seen.url === '/dapr/subscribe') return { status: 200, body: JSON.stringify(WANTED) };
      if (seen.method !== 'POST' || !/^\/(on|dead|ruled|declared)[-/]/.test(seen.url))
        return undefined;
      const events = received.get(seen.url) ?? [];
      received.set(seen.url, [...events, seen]);
      const [status, body] = verdicts[seen.url]?.(events.length + 1) ?? [
        200,
        '{"status":"SUCCESS"}',
      ];
      return { status, body };
    },
    /** Resolves when `wanted` events have come to a path. */
    async arrived(path: string, wanted: number): Promise<readonly Seen[]> {
      return eventually(
        () => received.get(path) ?? [],
        (here) => here.length >= wanted,
        `${wanted} events come to ${path}`,
      );
    },
  };
}
