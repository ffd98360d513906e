import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { until } from '@holdfast/test-servers';
import { COMPONENTS } from '../cases/asked.ts';
import { type AppMesh, startAppMesh } from '../makes/app-mesh.ts';
import { bothMakes, type Make } from '../makes/both-makes.ts';
import type { Seen } from '../makes/echo-app.ts';

/** What the application answers to an event, and whether that goes to the dead letters. */
const ANSWERS: readonly (readonly [status: number, body: string, dead: boolean])[] = [
  [200, '{"STATUS":"DROP"}', true],
  [200, '{"Status":"RETRY"}', true],
  [200, '{"status":"drop"}', true],
  [200, '{"status":"DROP"} and more', true],
  [200, '{"status":null}', false],
  [200, '{"status":5}', false],
  [200, '{"status":["DROP"]}', false],
  [200, '"DROP"', false],
  [200, '[', false],
  [201, '{"status":"DROP"}', true],
  [302, '', true],
];

/** Events by the topic that they are published to, as the application gets them; what is not named is not looked at. */
const EVENTS: readonly (readonly [
  name: string,
  query: string,
  type: string,
  body: string,
  Envelope,
])[] = [
  ['names come in order', '', 'application/json', '{"b":1,"a":2}', { data: '{"a":2,"b":1}' }],
  ['what follows JSON', '', 'application/json', '{"a":1} x', { data: '{"a":1}' }],
  ['a relative of JSON', '', 'application/x+json', '{"a":1}', { data: '"{\\"a\\":1}"' }],
  ['a batch of CloudEvents', '', 'application/cloudevents-batch+json', '[]', { data: '"[]"' }],
  [
    'overrides in any letter case',
    '?metadata.cloudevent.Type=w&metadata.CloudEvent.source=s',
    'application/json',
    '1',
    { type: '"w"', source: '"s"' },
  ],
  [
    'a trace in metadata',
    '?metadata.cloudevent.traceid=given',
    'application/json',
    '1',
    { traceid: '"given"', traceparent: '"given"' },
  ],
  [
    'overrides of what the client said itself',
    '?metadata.cloudevent.type=w',
    'application/cloudevents+json',
    '{"type":"own","source":null,"data":1}',
    { type: '"own"', source: '"Dapr"' },
  ],
  [
    'a trace that the client said itself',
    '',
    'application/cloudevents+json',
    '{"traceid":"own","data":1}',
    { traceid: '"own"', traceparent: undefined },
  ],
  [
    'half a second to live',
    '?metadata.ttlInSeconds=0.5',
    'application/json',
    '1',
    { expiration: undefined },
  ],
  ['nothing said about raw', '?metadata.rawPayload=', 'application/json', '1', { data: '1' }],
];
type Envelope = Readonly<Record<string, string | undefined>>;

await bothMakes(conformance);

function conformance(make: Make, executable: string | undefined): void {
  describe(`${make}, what applications say to events`, () => {
    const app = listening();
    let mesh: AppMesh<'caller'>;
    before(async () => {
      mesh = await startAppMesh(
        executable,
        { caller: { resources: { 'all.yaml': COMPONENTS } } },
        undefined,
        app.instead,
      );
      const url = `http://127.0.0.1:${mesh.port('caller')}/v1.0/metadata`;
      await until('it has subscribed', async () => {
        const { subscriptions = [] } = (await (await fetch(url)).json()) as { subscriptions?: [] };
        return subscriptions.length > ANSWERS.length;
      });
    });
    after(() => mesh.stop());

    const publish = async (topic: string, query: string, type: string, body: string) => {
      const url = `http://127.0.0.1:${mesh.port('caller')}/v1.0/publish/broker/${topic}${query}`;
      const headers = { 'content-type': type };
      const { status } = await fetch(url, { method: 'POST', headers, body });
      assert.equal(status, 204);
    };

    test('an answer means what Go reads in it', async () => {
      for (const at of ANSWERS.keys()) await publish(`a${at}`, '', 'text/plain', `a${at}`);
      const dead = ANSWERS.flatMap(([, , isDead], at) => (isDead ? [`"a${at}"`] : []));
      await app.until(
        () => app.of('/a').length >= ANSWERS.length && app.of('/dead').length >= dead.length,
      );
      assert.deepEqual(
        app
          .of('/dead')
          .map((seen) => eventOf(seen).data)
          .toSorted(),
        dead.toSorted(),
      );
    });

    for (const [at, [name, query, type, body, wanted]] of EVENTS.entries()) {
      test(`an event: ${name}`, async () => {
        await publish(`e${at}`, query, type, body);
        await app.until(() => app.of(`/e${at}`).length > 0);
        const event = eventOf(app.of(`/e${at}`)[0]!);
        const shown = Object.fromEntries(Object.keys(wanted).map((field) => [field, event[field]]));
        assert.deepEqual(shown, wanted);
      });
    }

    test('a path is escaped where it must be, and a list of subscriptions is none of a kind', async () => {
      await publish('spaced', '', 'text/plain', 'x');
      await app.until(() => app.of('/s%20p').length > 0);
      assert.equal(app.of('/twice').length, 0);
      await publish('twice', '', 'text/plain', 'x');
      await app.until(() => app.of('/last').length > 0);
      assert.equal(app.of('/first').length, 0);
    });
  });
}

/** Each field as JSON, with its order. */
function eventOf({ body }: Seen): Envelope {
  const fields = Object.entries(JSON.parse(body) as Record<string, unknown>);
  return Object.fromEntries(fields.map(([name, value]) => [name, JSON.stringify(value)]));
}

function listening() {
  const seen: Seen[] = [];
  const simple = (topic: string, route = `/${topic}`, more: object = {}) => ({
    ...{ pubsubname: 'broker', topic, route, ...more },
  });
  const wanted = [
    ...ANSWERS.map((_, at) => simple(`a${at}`, `/a${at}`, { deadLetterTopic: 'dead' })),
    ...EVENTS.map((_, at) => simple(`e${at}`)),
    simple('dead'),
    simple('spaced', '/s p'),
    simple('twice', '/first'),
    simple('twice', '/last'),
    { pubsubname: 'broker', topic: 'without-route' },
  ];
  return {
    instead(one: Seen) {
      if (one.url === '/dapr/subscribe') return { status: 200, body: JSON.stringify(wanted) };
      if (one.method !== 'POST') return undefined;
      seen.push(one);
      const answer = ANSWERS[Number(/^\/a(\d+)$/.exec(one.url)?.[1] ?? -1)];
      return { status: answer?.[0] ?? 200, body: answer?.[1] ?? '' };
    },
    /** Those whose path begins so; `/e1` is not `/e10`. */
    of: (path: string) =>
      seen.filter(({ url }) => url === path || (url.startsWith(path) && path.length === 2)),
    until: (done: () => boolean) =>
      until(() => `it is called, after ${JSON.stringify(seen.map(({ url }) => url))}`, done),
  };
}
