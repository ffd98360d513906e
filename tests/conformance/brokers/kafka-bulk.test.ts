import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '@holdfast/test-servers';
import { bothMakes, type Make } from '../makes/both-makes.ts';
import { componentYaml } from '../makes/component-yaml.ts';
import { type EchoApp, startEchoApp } from '../makes/echo-app.ts';
import { type Running, startOne } from '../makes/one-sidecar.ts';
import { withKafka } from '../makes/with-kafka.ts';

interface Entry {
  readonly entryId: string;
  readonly event: { readonly data: number };
  readonly metadata: Readonly<Record<string, string>>;
}

const TOPICS = ['many', 'patient', 'again', 'letters', 'sizes', 'said'];

await withKafka('bulk subscribe on pubsub.kafka', async (address) => {
  await bothMakes((make, executable) => conformance(make, executable, address));
});

function conformance(make: Make, executable: string | undefined, address: string): void {
  describe(`${make}, bulk subscribe on pubsub.kafka`, () => {
    const named = (topic: string) => `${make}-${topic}`;
    /** By topic, the bulks with their entries. */
    const bulks = new Map<string, Entry[][]>();
    const letters: number[] = [];
    let folder: string;
    let app: EchoApp;
    let sidecar: Running;
    before(async () => {
      folder = await mkdtemp(path.join(tmpdir(), 'holdfast-bulk-'));
      await writeFile(path.join(folder, 'broker.yaml'), component(address, make));
      app = await startEchoApp(({ body, url }) => {
        if (url === '/dapr/subscribe') {
          return { status: 200, body: JSON.stringify(wanted(named)) };
        }
        if (url === '/dead') letters.push(JSON.parse(body).data);
        const topic = /^\/on-(.+)$/.exec(url)?.[1];
        if (topic === undefined) return url === '/dead' ? { status: 200, body: '' } : undefined;
        const { entries } = JSON.parse(body) as { entries: Entry[] };
        const before = bulks.get(topic) ?? [];
        bulks.set(topic, [...before, entries]);
        const statuses = entries.map(({ entryId, event }) => {
          const fails = topic === 'letters' ? event.data === 3 : before.length === 0;
          const failing = (topic === 'letters' || topic === 'again') && fails;
          return { entryId, status: failing ? 'RETRY' : 'SUCCESS' };
        });
        return { status: 200, body: JSON.stringify({ statuses }) };
      });
      const start = { role: 'bulk', appPort: app.port, resources: folder, configs: [] };
      sidecar = await startOne(executable, { ...start, secured: false });
    });
    after(async () => {
      await sidecar?.stop();
      await app.close();
      await rm(folder, { recursive: true, force: true });
    });

    const send = async (
      topic: string,
      events: readonly unknown[],
      query: string,
      metadata?: Readonly<Record<string, string>>,
    ) => {
      const to = `http://127.0.0.1:${sidecar.ports.http}/v1.0/publish/bulk/broker/${named(topic)}?${query}`;
      const entries = events.map((event, at) => ({
        ...{ entryId: String(at), event, contentType: 'application/json', metadata },
      }));
      const headers = { 'content-type': 'application/json' };
      const answer = await fetch(to, { method: 'POST', headers, body: JSON.stringify(entries) });
      return [answer.status, await answer.text()] as const;
    };
    /** All in one partition. */
    const publish = async (topic: string, numbers: readonly number[]) =>
      assert.deepEqual(await send(topic, numbers, 'metadata.partitionKey=one'), [204, '']);
    const numbersOf = (topic: string) => (bulks.get(topic) ?? []).flat().map((e) => e.event.data);
    const count = (topic: string, wanted: number) =>
      until(`${wanted} of ${topic} come`, () => numbersOf(topic).length >= wanted);
    const upTo = (n: number) => Array.from({ length: n }, (_, at) => at);
    /**
     * Nobody promises that what is published together lies in one batch, or is fetched at once, and daprd's wait is
     * a clock that ticks whether anything has come or not: a bulk may be cut anywhere.
     */
    const sizesOf = (topic: string) => bulks.get(topic)!.map((entries) => entries.length);

    test('what waits in one partition comes together, in order, as many as a bulk may have', async () => {
      await publish('many', upTo(40));
      await count('many', 40);
      assert.deepEqual(numbersOf('many'), upTo(40));
      assert.equal(Math.max(...sizesOf('many')), 10);
      const [{ metadata }] = bulks.get('many')![0]! as [Entry];
      const { __key, __offset, __partition, __topic, partitionKey } = metadata;
      assert.deepEqual(
        [__key, __offset, __topic, partitionKey, Number(__partition) < 3],
        ['one', '0', named('many'), 'one', true],
      );
    });

    test('a bulk that is not full comes when the first has waited long enough', async () => {
      await publish('patient', upTo(7));
      await count('patient', 7);
      assert.deepEqual(numbersOf('patient'), upTo(7));
      assert.ok(sizesOf('patient').length <= 2, `${sizesOf('patient')}`);
    });

    test('what was not taken comes again, before what is behind it', async () => {
      await publish('again', upTo(5));
      await count('again', 1);
      await publish('again', [5, 6]);
      await until('the last comes', () => numbersOf('again').includes(6));
      const [first = [], ...later] = bulks
        .get('again')!
        .map((entries) => entries.map(({ event }) => event.data));
      assert.deepEqual(first, upTo(first.length));
      // Others may come twice where the group was shared anew; none overtakes what was not taken.
      assert.deepEqual([...new Set(later.flat())], upTo(7));
    });

    test('what is too large fails alone, and the others are published', async () => {
      const [status, text] = await send('sizes', [1, 'x'.repeat(1_100_000), 2], '');
      assert.equal(status, 500);
      const { failedEntries } = JSON.parse(text) as { failedEntries: { entryId: string }[] };
      assert.deepEqual(
        failedEntries.map(({ entryId }) => entryId),
        ['1'],
      );
      await count('sizes', 2);
      assert.deepEqual(numbersOf('sizes').toSorted(), [1, 2]);
    });

    test('what is said of all wins in the record over what an entry says', async () => {
      const own = { partitionKey: 'own', mine: 'own', more: 'own' };
      await send('said', [1], 'metadata.partitionKey=all&metadata.mine=all', own);
      await count('said', 1);
      const [{ metadata }] = bulks.get('said')![0]! as [Entry];
      const { __key, mine, more, partitionKey } = metadata;
      assert.deepEqual([__key, mine, more, partitionKey], ['all', 'all', 'own', 'all']);
    });

    test('a partition that cannot be, of one for all of them, fails them all', async () => {
      const [status, text] = await send('sizes', [3, 4], 'metadata.partitionNumber=x');
      assert.equal(status, 500);
      const { failedEntries } = JSON.parse(text) as { failedEntries: { entryId: string }[] };
      assert.deepEqual(failedEntries.map(({ entryId }) => entryId).toSorted(), ['0', '1']);
    });

    test('of a bulk what was not taken is a dead letter, and the next bulk comes', async () => {
      await publish('letters', upTo(12));
      await count('letters', 12);
      await until('the dead letter comes', () => letters.length > 0);
      await sleep(500);
      assert.deepEqual(letters, [3]);
      assert.deepEqual(numbersOf('letters'), upTo(12));
    });
  });
}

function wanted(named: (topic: string) => string) {
  const bulkSubscribe = { enabled: true, maxMessagesCount: 10, maxAwaitDurationMs: 1_000 };
  const dead = { pubsubname: 'broker', topic: named('dead'), route: '/dead' };
  const all = TOPICS.map((topic) => ({
    ...{ pubsubname: 'broker', topic: named(topic), route: `/on-${topic}`, bulkSubscribe },
    ...(topic === 'letters' ? { deadLetterTopic: named('dead') } : {}),
  }));
  return [...all, dead];
}

function component(address: string, group: string): string {
  return componentYaml('broker', 'pubsub.kafka', {
    brokers: address,
    authType: 'none',
    consumerGroup: group,
    initialOffset: 'oldest',
    backOffDuration: '200ms',
  });
}
