import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { until } from '@holdfast/test-servers';
import { bothMakes, type Make } from '../makes/both-makes.ts';
import { componentYaml } from '../makes/component-yaml.ts';
import { type SubscribedApp, startSubscribedApp } from '../makes/subscribed-app.ts';

const raw = (topic: string, rawPayload: string, more: object = {}) => ({
  ...{
    pubsubname: 'bus',
    topic,
    route: `/${topic}`,
    deadLetterTopic: 'dead',
    metadata: { rawPayload },
  },
  ...more,
});
const ruled = (topic: string, match: string) => ({
  ...{ pubsubname: 'bus', topic, deadLetterTopic: 'dead' },
  routes: { rules: [{ match, path: `/${topic}` }], default: `/${topic}-default` },
});
const bulkSubscribe = { enabled: true, maxMessagesCount: 1, maxAwaitDurationMs: 100 };
const SUBSCRIPTIONS = [
  raw('one', '1'),
  raw('true', 'True'),
  raw('no', 'F'),
  raw('nothing', ''),
  raw('neither', 'maybe'),
  raw('many', 'T', { bulkSubscribe }),
  ruled('blank', '  '),
  ruled('spaced', '  event.type == "com.dapr.event.sent"\n'),
  ruled('text', 'event.type'),
  { pubsubname: 'bus', topic: 'dead', route: '/dead' },
  { pubsubname: 'open', topic: 'any', route: '/any' },
];
const RESOURCES = {
  'bus.yaml': componentYaml('bus', 'pubsub.in-memory'),
  'scoped.yaml': componentYaml('scoped', 'pubsub.in-memory', {
    publishingScopes: 'caller = a ; other=z; caller=b, c d',
  }),
  'open.yaml': componentYaml('open', 'pubsub.in-memory', {
    protectedTopics: 'kept',
    publishingScopes: 'caller',
    subscriptionScopes: 'caller',
  }),
};

await bothMakes(subscriptionWords);

/** What the words of a subscription, and those of a broker's scopes, may be. */
function subscriptionWords(make: Make, executable: string | undefined): void {
  describe(`${make}, words of subscriptions and scopes`, () => {
    let mesh: SubscribedApp['mesh'];
    let seen: SubscribedApp['seen'];
    before(async () => {
      const answer = () => ({ status: 200, body: '{"statuses":[]}' });
      ({ mesh, seen } = await startSubscribedApp(executable, RESOURCES, SUBSCRIPTIONS, answer));
    });
    after(() => mesh.stop());

    const publish = async (topic: string, pubsub = 'bus'): Promise<number> => {
      const url = `http://127.0.0.1:${mesh.port('caller')}/v1.0/publish/${pubsub}/${topic}`;
      return (await fetch(url, { method: 'POST', body: topic })).status;
    };
    /** Publishes to a topic, and resolves with where its event came, and what it is. */
    const brought = async (topic: string) => {
      const before = seen.length;
      assert.equal(await publish(topic), 204);
      await until(`an event of ${topic} comes`, () => seen.length > before);
      const { body, url } = seen[before]!;
      const { datacontenttype } = JSON.parse(body) as Record<string, unknown>;
      return [url, datacontenttype === 'application/octet-stream'] as const;
    };

    for (const topic of ['one', 'true']) {
      test(`rawPayload may be said as Go says it: ${topic}`, async () => {
        assert.deepEqual(await brought(topic), [`/${topic}`, true]);
      });
    }

    for (const topic of ['no', 'nothing']) {
      test(`rawPayload may be said to be not: ${topic}`, async () => {
        assert.deepEqual(await brought(topic), [`/${topic}`, false]);
      });
    }

    test('rawPayload that is neither brings nothing', async () => {
      assert.deepEqual(await brought('neither'), ['/dead', false]);
    });

    test('rawPayload of events in bulk', async () => {
      const before = seen.length;
      await publish('many');
      await until('a bulk comes', () => seen.slice(before).some(({ url }) => url === '/many'));
      const { body } = seen.slice(before).find(({ url }) => url === '/many')!;
      const { entries } = JSON.parse(body) as { entries: { event: unknown }[] };
      assert.equal(typeof entries[0]!.event, 'string');
      await until('it is dead', () => seen.slice(before).some(({ url }) => url === '/dead'));
    });

    test('a match of nothing but spaces is none: its rule takes everything', async () => {
      assert.deepEqual(await brought('blank'), ['/blank', false]);
      assert.deepEqual(await brought('spaced'), ['/spaced', false]);
    });

    test('a match that is neither true nor false is a failure, and no other rule takes the event', async () => {
      assert.deepEqual(await brought('text'), ['/dead', false]);
    });

    test('scopes of an application add up, and have no spaces; one without topics is none', async () => {
      const answers = await Promise.all(
        ['a', 'b', 'cd', 'e'].map((topic) => publish(topic, 'scoped')),
      );
      assert.deepEqual(answers, [204, 204, 204, 403]);
      const open = await Promise.all(['any', 'kept'].map((topic) => publish(topic, 'open')));
      assert.deepEqual(open, [204, 403]);
      await until('it is brought', () => seen.some(({ url }) => url === '/any'));
    });
  });
}
