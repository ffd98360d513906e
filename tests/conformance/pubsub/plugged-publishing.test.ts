import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { until } from '@holdfast/test-servers';
import { PubSub } from '../../../packages/sidecar/src/pluggable/protos/components_pb.ts';
import { startComponent } from '../../../packages/sidecar/src/pluggable/testing/start-component.ts';
import { bothMakes, type Make } from '../makes/both-makes.ts';
import { componentYaml } from '../makes/component-yaml.ts';
import { type Flagged, startFlagged } from '../makes/flagged.ts';

/** An event as a broker of another program is given it. */
interface Given {
  readonly topic: string;
  readonly data: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly contentType: string;
  /** '' where it came alone. */
  readonly entryId: string;
}

const LONG_BYTES = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
const CLOUD_EVENT = { id: 'mine', source: 'me', specversion: '1.0', type: 't', data: { a: 1 } };

/** What is published to topic `t`, one after the other. */
const PUBLICATIONS: readonly {
  readonly what: string;
  readonly query?: string;
  readonly type: string;
  readonly body: string | Buffer<ArrayBuffer>;
  readonly bulk?: true;
}[] = [
  { what: 'JSON', type: 'application/json', body: '{"n":12345678901234567890}' },
  { what: 'text', type: 'text/plain; charset=utf-8', body: 'hé' },
  { what: 'XML', type: 'application/xml', body: '<a/>' },
  { what: 'bytes', type: 'application/octet-stream', body: LONG_BYTES },
  {
    what: 'a CloudEvent',
    type: 'application/cloudevents+json',
    body: JSON.stringify(CLOUD_EVENT),
  },
  {
    what: 'metadata',
    query: '?metadata.partitionKey=k&metadata.Own=v&metadata.cloudevent.type=mine&metadata.empty=',
    type: 'text/plain',
    body: 'x',
  },
  {
    what: 'a raw payload',
    query: '?metadata.rawPayload=true',
    type: 'image/png',
    body: LONG_BYTES,
  },
  {
    what: 'a raw payload that expires',
    query: '?metadata.rawPayload=true&metadata.ttlInSeconds=100',
    type: 'text/plain',
    body: 'y',
  },
  {
    what: 'an event that expires',
    query: '?metadata.ttlInSeconds=100',
    type: 'text/plain',
    body: 'z',
  },
  {
    what: 'a bulk',
    type: 'application/json',
    bulk: true,
    body: JSON.stringify([
      { entryId: 'one', event: 'text', contentType: 'text/plain' },
      { entryId: 'two', event: { b: 2 }, contentType: 'application/json', metadata: { own: '2' } },
      { entryId: 'three', event: 'AAEC', contentType: 'application/octet-stream' },
      { entryId: 'four', event: CLOUD_EVENT, contentType: 'application/cloudevents+json' },
    ]),
  },
  {
    what: 'a bulk of raw payloads',
    query: '?metadata.rawPayload=true&metadata.all=1',
    type: 'application/json',
    bulk: true,
    body: JSON.stringify([
      { entryId: 'five', event: 'text', contentType: 'text/plain' },
      { entryId: 'six', event: 'AAEC', contentType: 'application/octet-stream' },
    ]),
  },
];

await bothMakes(conformance);

/** What a broker of another program is given of each kind of publication, and that an outbox before it changes none of it. */
function conformance(make: Make, executable: string | undefined): void {
  for (const features of [['BULK_PUBSUB'], ['BULK_PUBSUB', 'MESSAGE_TTL'], []]) {
    describe(`${make}, publishing to a pluggable broker (${features.join(', ') || 'no features'})`, () => {
      const given = { bus: [] as Given[], kept: [] as Given[] };
      const cleanups: (() => unknown)[] = [];
      let sidecar: Flagged;
      before(async () => {
        const { folder } = await startComponent(
          { after: (clean) => void cleanups.push(clean as () => unknown) },
          'mine',
          [PubSub],
          (router) => {
            router.service(PubSub, {
              init: () => ({}),
              ping: () => ({}),
              features: () => ({ features }),
              publish({ contentType, data, metadata, pubsubName, topic }) {
                const event = { topic, data: dataOf(data), metadata, contentType, entryId: '' };
                given[pubsubName as 'bus' | 'kept'].push(event);
                return {};
              },
              bulkPublish({ entries, pubsubName, topic }) {
                for (const { contentType, entryId, event, metadata } of entries) {
                  const one = { topic, data: dataOf(event), metadata, contentType, entryId };
                  given[pubsubName as 'bus' | 'kept'].push(one);
                }
                return { failedEntries: [] };
              },
            });
          },
        );
        sidecar = await startFlagged(executable, {
          flags: {},
          env: { DAPR_COMPONENTS_SOCKETS_FOLDER: folder, HOME: folder },
          resources: {
            // daprd knows no outbox, and so the two are one to it.
            'brokers.yaml': [
              componentYaml('bus', 'pubsub.mine'),
              componentYaml('kept', 'pubsub.mine', { outbox: 'true' }),
            ].join('---'),
          },
        });
      });
      after(async () => {
        await sidecar?.stop();
        for (const clean of cleanups) await clean();
      });

      test('each arrives once, with an outbox as without', async () => {
        for (const name of ['bus', 'kept']) {
          for (const { body, bulk, query = '', type, what } of PUBLICATIONS) {
            const path = `publish/${bulk ? 'bulk/' : ''}${name}/t${query}`;
            const answer = await fetch(`http://127.0.0.1:${sidecar.ports.http}/v1.0/${path}`, {
              method: 'POST',
              headers: { 'content-type': type },
              body,
            });
            assert.equal(answer.status, 204, `${what}: ${await answer.text()}`);
          }
        }
        await until('all are there', () => given.kept.length >= 15);
        // Entries that a broker takes one by one come side by side from daprd; an outbox names them itself.
        const sorted = (list: readonly Given[]) =>
          list
            .map(({ entryId: _, metadata, ...one }) => [one, withoutTime(metadata)])
            .map((one) => JSON.stringify(one))
            .toSorted();
        assert.deepEqual(sorted(given.kept), sorted(given.bus));
        assert.equal(given.kept.length, 15);
      });

      test('entries of a bulk have their ids, their types and their own metadata', () => {
        if (!features.includes('BULK_PUBSUB')) return;
        const entries = given.bus.filter(({ entryId }) => entryId !== '');
        assert.deepEqual(
          entries.map(({ contentType, entryId, metadata }) => [entryId, contentType, metadata]),
          [
            ['one', 'text/plain', {}],
            ['two', 'application/json', { own: '2' }],
            ['three', 'application/octet-stream', {}],
            ['four', 'application/cloudevents+json', {}],
            ['five', 'text/plain', {}],
            ['six', 'application/octet-stream', {}],
          ],
        );
      });
    });
  }
}

/** In one order; how much is left of an event's time depends on how long it has waited. */
function withoutTime(metadata: Given['metadata']) {
  const { ttlInSeconds, ...others } = metadata;
  const expires = ttlInSeconds !== undefined && Number(ttlInSeconds) <= 100;
  return [expires, Object.entries(others).toSorted()];
}

/** Without what is another each time, or says which broker it is. */
function dataOf(bytes: Uint8Array): string {
  const text = Buffer.from(bytes).toString('latin1');
  if (!text.startsWith('{"')) return text;
  const event = JSON.parse(text) as Record<string, unknown>;
  for (const name of ['id', 'time', 'traceid', 'traceparent', 'pubsubname']) delete event[name];
  if ('expiration' in event) event.expiration = 'some time';
  return JSON.stringify(Object.entries(event).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
