import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  eventually,
  type RedisServer,
  redisServer,
  Unavailable,
  until,
} from '@holdfast/test-servers';
import { DECLARED, MEMORY, REDIS, RESILIENCY, wantedOf } from '../cases/bulk-subscribe.ts';
import { bothMakes, type Make } from '../makes/both-makes.ts';
import type { Seen } from '../makes/echo-app.ts';
import { type Mesh, startMesh } from '../makes/mesh.ts';

const redis = await redisServer();
if (redis instanceof Unavailable && process.env.CI === 'true') throw new Error(redis.why);
after(() => (redis instanceof Unavailable ? undefined : redis.process.remove()));

await bothMakes((make, executable) => {
  conformance(make, executable, 'pubsub.in-memory', MEMORY);
  if (redis instanceof Unavailable) {
    test(`${make}, bulk subscribe on pubsub.redis`, { skip: redis.why }, () => {});
  } else conformance(make, executable, 'pubsub.redis', REDIS(redis.port), redis);
});

/** Each test holds for both makes; topics are a test's own. */
function conformance(
  make: Make,
  executable: string | undefined,
  type: string,
  components: string,
  server?: RedisServer,
): void {
  describe(`${make}, bulk subscribe on ${type}`, () => {
    const app = bulkApp();
    let mesh: Mesh;
    before(async () => {
      mesh = await startMesh(executable, {
        instead: app.instead,
        resources: {
          'brokers.yaml': components,
          'subscriptions.yaml': DECLARED,
          'bulk-policies.yaml': RESILIENCY,
        },
      });
      const url = `http://127.0.0.1:${mesh.port('caller')}/v1.0/healthz`;
      await until('it is ready', async () => (await fetch(url)).ok);
    });
    after(() => mesh.stop());

    /** Publishes entries whose data are `words`, in one request. */
    const publish = async (
      topic: string,
      words: readonly string[],
      query = '',
      broker = 'broker',
    ) => {
      const url = `http://127.0.0.1:${mesh.port('caller')}/v1.0/publish/bulk/${broker}/${topic}${query}`;
      const entries = words.map((event, at) => ({
        entryId: `${at}`,
        event,
        contentType: 'application/json',
        metadata: { mine: event },
      }));
      const answer = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(entries),
      });
      assert.equal(answer.status, 204, await answer.text());
    };

    test('events come in an envelope of their own, as JSON, with a header that names the broker', async () => {
      await publish('plain', ['a']);
      const [seen] = await app.bulks('/on-plain', 1);
      const { entries, id, ...envelope } = JSON.parse(seen!.body);
      assert.deepEqual(envelope, {
        metadata: { pubsubName: 'broker' },
        pubsubname: 'broker',
        topic: 'plain',
        type: 'com.dapr.event.sent.bulk',
      });
      assert.match(id, UUID);
      const [{ entryId, event, ...entry }] = entries;
      assert.match(entryId, UUID);
      assert.deepEqual(entry, {
        contentType: 'application/cloudevents+json',
        metadata: { mine: 'a' },
      });
      const { data, pubsubname, source, specversion, topic, type: eventType } = event;
      assert.deepEqual(
        [data, pubsubname, source, specversion, topic, eventType],
        ['a', 'broker', 'caller', '1.0', 'plain', 'com.dapr.event.sent'],
      );
      assert.deepEqual(
        [seen!.method, seen!.headers['content-type'], seen!.headers.pubsubname],
        ['POST', 'application/json', 'broker'],
      );
      assert.match(seen!.headers.traceparent ?? '', /^00-[\da-f]{32}-[\da-f]{16}-01$/);
      assert.match(
        seen!.body,
        /^\{"entries":\[\{"entryId":.*,"event":\{"data":.*\},"metadata":.*,"contentType":"[^"]*"\}\],"id":/,
      );
    });

    test('no bulk is larger than it may be, and every event comes once', async () => {
      const words = Array.from({ length: 12 }, (_, n) => `w${n}`);
      await publish('many', words);
      const entries = await app.entries('/on-many', 12);
      assert.deepEqual(entries.map(({ event }) => event.data).toSorted(), words.toSorted());
      const sizes = (await app.bulks('/on-many', 1)).map((seen) => entriesOf(seen).length);
      assert.ok(Math.max(...sizes) <= 4, `${sizes}`);
      // In memory daprd publishes one after the other has been taken: there is no company to wait for.
      if (type === 'pubsub.redis') assert.ok(Math.max(...sizes) > 1, `${sizes}`);
    });

    test('each entry ends as the application says; what it did not take goes to the dead letters', async () => {
      await publish('words', ['SUCCESS', 'RETRY', 'DROP', 'UNHEARD', '', 'WHAT']);
      await app.entries('/on-words', 6);
      const letters = await app.singles('/dead-words', 5);
      assert.deepEqual(letters.toSorted(), ['', 'DROP', 'RETRY', 'UNHEARD', 'WHAT']);
    });

    test('policies try again what was not taken, and nothing else', async () => {
      await publish('patient', ['yes', 'later', 'later'], '', 'patient');
      await sleep(1_500);
      const words = (await app.entries('/on-patient', 7)).map(({ event }) => event.data);
      assert.deepEqual(words.toSorted(), [...Array(6).fill('later'), 'yes']);
    });

    for (const [topic, what] of [
      ['failing', 'an answer of 500'],
      ['silent', 'an answer without a body'],
      ['garbled', 'an answer that is no JSON'],
    ] as const) {
      test(`${what} is a failure of all entries`, async () => {
        await publish(topic, ['a', 'b']);
        await app.entries(`/on-${topic}`, 2);
        assert.deepEqual((await app.singles(`/dead-${topic}`, 2)).toSorted(), ['a', 'b']);
      });
    }

    test('what the application does not know of, 404, is done with', async () => {
      await publish('unknown', ['a']);
      await app.entries('/on-unknown', 1);
      await sleep(1_000);
      const letters = await app.singles('/dead-unknown', 0);
      // daprd forgets the dead letter topic here, which it has for a single event that gets 404.
      assert.deepEqual(letters, make === 'daprd' ? [] : ['a']);
    });

    test('rules sort the events by path', async () => {
      await publish('ruled', ['a'], '?metadata.cloudevent.type=big');
      await publish('ruled', ['b'], '?metadata.cloudevent.type=small');
      const [big] = await app.entries('/ruled-big', 1);
      const [small] = await app.entries('/ruled-small', 1);
      assert.deepEqual([big!.event.data, small!.event.data], ['a', 'b']);
    });

    test('an event that is over is not brought', async () => {
      const url = `http://127.0.0.1:${mesh.port('caller')}/v1.0/publish/broker/short`;
      const over = { specversion: '1.0', id: '1', type: 't', source: 's', data: 'over' };
      const answer = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/cloudevents+json' },
        body: JSON.stringify({ ...over, expiration: '2020-01-01T00:00:00Z' }),
      });
      assert.equal(answer.status, 204);
      await publish('short', ['in time']);
      await app.entries('/on-short', 1);
      await sleep(500);
      const words = (await app.entries('/on-short', 1)).map(({ event }) => event.data);
      assert.deepEqual(words, ['in time']);
    });

    test('raw events come as base64', async () => {
      await publish('raw', ['a'], '?metadata.rawPayload=true');
      const [entry] = await app.entries('/on-raw', 1);
      assert.deepEqual(
        [entry!.event, entry!.contentType],
        [Buffer.from('"a"').toString('base64'), 'application/octet-stream'],
      );
    });

    for (const version of ['v1', 'v2']) {
      test(`a Subscription of ${version} may be a bulk`, async () => {
        await publish(`declared-${version}`, ['a']);
        const [entry] = await app.entries(`/declared/${version}`, 1);
        assert.equal(entry!.event.data, 'a');
      });
    }

    test('the metrics count bulks and their events', async () => {
      await app.bulks('/on-plain', 1);
      await sleep(500);
      const page = await fetch(`http://127.0.0.1:${mesh.metricsPort('caller')}/metrics`);
      const text = await page.text();
      // daprd writes the name of a constant where the component's belongs.
      const name = make === 'daprd' ? 'pubsubName' : 'broker';
      const labels = `app_id="caller",component="${name}",namespace="[^"]*",`;
      const family = 'dapr_component_pubsub_ingress_bulk';
      // A label without a value is none.
      for (const [metric, status] of [
        ['count', '(process_status="",)?'],
        ['event_count', 'process_status="SUCCESS",'],
      ]) {
        const sample = new RegExp(
          `^${family}_${metric}\\{${labels}${status}topic="plain"\\} 1$`,
          'm',
        );
        assert.ok(sample.test(text), `${sample}`);
      }
    });

    if (server !== undefined) {
      test('without dead letters, what was taken is done with', async () => {
        await publish('kept', ['SUCCESS', 'SUCCESS', 'DROP']);
        await app.entries('/on-kept', 3);
        await sleep(2_000);
        assert.equal((await app.entries('/on-kept', 3)).length, 3);
      });

      test('without dead letters, what was not taken comes again', async () => {
        await publish('again', ['first-no', 'yes']);
        // This daprd acknowledges what the application failed over, as it does for single events.
        const wanted = make === 'daprd' ? 2 : 3;
        await app.entries('/on-again', wanted);
        await sleep(1_500);
        const words = (await app.entries('/on-again', wanted)).map(({ event }) => event.data);
        const expected = make === 'daprd' ? ['first-no', 'yes'] : ['first-no', 'first-no', 'yes'];
        assert.deepEqual(words.toSorted(), expected);
      });
    }
  });
}

const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/;

interface Entry {
  readonly entryId: string;
  readonly event: { readonly data: string };
  readonly contentType: string;
}

const entriesOf = ({ body }: Seen): readonly Entry[] => JSON.parse(body).entries;

/** An application that answers each entry with the word it holds, unless its path has it otherwise. */
function bulkApp() {
  const received = new Map<string, Seen[]>();
  const all = (path: string) => (received.get(path) ?? []).flatMap(entriesOf);
  const bodyFor = (path: string, entries: readonly Entry[]): string => {
    if (path === '/on-silent') return '';
    if (path === '/on-garbled') return 'thanks';
    const statuses = entries.map(({ entryId, event }) => ({ entryId, status: word(path, event) }));
    const heard = statuses.filter(({ status }) => status !== 'UNHEARD');
    return JSON.stringify({ statuses: [...heard, { entryId: 'nobody', status: 'SUCCESS' }] });
  };
  const word = (path: string, { data }: Entry['event']): string => {
    if (path === '/on-words' || path === '/on-kept') return data;
    if (path === '/on-patient') {
      const before = all(path).filter(({ event }) => event.data === data).length;
      return data === 'yes' || before > 4 ? 'SUCCESS' : 'RETRY';
    }
    if (path === '/on-again' && data === 'first-no') {
      return all(path).filter(({ event }) => event.data === data).length > 1 ? 'SUCCESS' : 'RETRY';
    }
    return 'SUCCESS';
  };
  const arrived = <T>(here: () => readonly T[], wanted: number): Promise<readonly T[]> =>
    eventually(here, (all) => all.length >= wanted, `${wanted} come`);
  return {
    instead(seen: Seen) {
      if (seen.url === '/dapr/subscribe') return { status: 200, body: JSON.stringify(wantedOf()) };
      if (seen.method !== 'POST' || !/^\/(on|dead|ruled|declared)[-/]/.test(seen.url))
        return undefined;
      received.set(seen.url, [...(received.get(seen.url) ?? []), seen]);
      if (seen.url.startsWith('/dead-')) return { status: 200, body: '' };
      const status = { '/on-failing': 500, '/on-unknown': 404 }[seen.url] ?? 200;
      return { status, body: bodyFor(seen.url, entriesOf(seen)) };
    },
    /** Requests to a path; resolves when `wanted` have come. */
    bulks: (path: string, wanted: number) => arrived(() => received.get(path) ?? [], wanted),
    /** Entries that came to a path, in as many requests as may be. */
    entries: (path: string, wanted: number) => arrived(() => all(path), wanted),
    /** Data of events that came to a path one by one. */
    singles: (path: string, wanted: number) =>
      arrived(
        () => (received.get(path) ?? []).map(({ body }) => String(JSON.parse(body).data)),
        wanted,
      ),
  };
}
