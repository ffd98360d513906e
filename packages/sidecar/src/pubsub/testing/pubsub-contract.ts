import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '@holdfast/test-servers';
import { publishMany } from '../publish/publish-many.ts';
import type { PubSub, PubSubHandler, PubSubMessage } from '../pubsub.ts';

/** What an adapter supplies to be put to the test; it hands over again within a second or two. */
export interface BrokerUnderTest {
  /** A member of a group, with a connection of its own, as another sidecar has it. */
  open(group: string): Promise<PubSub>;
  /** SIGKILL, and back on the same port with what it had acknowledged. */
  readonly outage: { begin(): Promise<void>; end(): Promise<void> };
  /** Metadata that the broker adds to what was published. @default none */
  readonly adds?: readonly string[];
}

/** What not every broker can do. */
export interface BrokerAbilities {
  /** Metadata of a publication arrive with it. @default true */
  readonly metadata?: boolean;
  /** Two members of one group may be there at the same time. @default true */
  readonly severalMembers?: boolean;
}

let topics = 0;

/** Holds a broker that keeps messages to its promises; every adapter runs it. */
export function pubsubContract(
  name: string,
  start: (t: TestContext) => Promise<BrokerUnderTest>,
  abilities: BrokerAbilities = {},
): void {
  const several = {
    skip: abilities.severalMembers === false && 'a group of this broker has one member at a time',
  };
  describe(`${name} keeps the contract of a broker`, () => {
    const run = (title: string, body: (world: World) => Promise<void>, options = {}) =>
      test(title, options, async (t) => {
        const broker = await start(t);
        const opened: PubSub[] = [];
        topics += 1;
        t.after(() => Promise.all(opened.map((one) => one.close())));
        await body({
          ...broker,
          topic: `topic-${topics}`,
          async open(group) {
            const member = await broker.open(group);
            opened.push(member);
            return member;
          },
        });
      });

    run(
      'what is published arrives as it was: any bytes, and metadata',
      async ({ adds = [], open, topic }) => {
        const [publisher, member] = [await open('publisher'), await open('group')];
        const inbox = createInbox();
        await member.subscribe(topic, inbox.take);
        const data = Buffer.from([0, 1, 0xff, 0xfe, 10]);
        await publisher.publish(topic, { data, metadata: { a: 'é', b: '' } });
        await publisher.publish(topic, { data: Buffer.alloc(0), metadata: {} });
        await inbox.has(2);
        const without = ({ data: bytes, metadata }: PubSubMessage) => ({
          data: bytes,
          metadata: Object.fromEntries(
            Object.entries(metadata).filter(
              ([name]) => !adds.includes(name) && !OF_BROKERS.test(name),
            ),
          ),
        });
        const carried = abilities.metadata === false ? {} : { a: 'é', b: '' };
        assert.deepEqual(inbox.messages().map(without), [
          { data, metadata: carried },
          { data: Buffer.alloc(0), metadata: {} },
        ]);
      },
    );

    run(
      'many published in one go arrive, those of one key in the order given',
      async ({ open, topic }) => {
        const [publisher, member] = [await open('publisher'), await open('group')];
        const inbox = createInbox();
        await member.subscribe(topic, inbox.take);
        // Without a key, Kafka's go to several partitions, each with an order of its own.
        const metadata = { partitionKey: 'one' };
        const messages = range(500).map((text) => ({ data: Buffer.from(text), metadata }));
        const published = await publishMany(publisher, topic, messages);
        await inbox.has(500);
        assert.deepEqual(
          [published.length, published.filter(Boolean), inbox.texts()],
          [500, [], range(500)],
        );
      },
    );

    run(
      'members of one group share the events, each goes to one',
      async ({ open, topic }) => {
        const members = [await open('group'), await open('group')];
        const inboxes = members.map(() => createInbox(20));
        for (const [at, member] of members.entries()) {
          await member.subscribe(topic, inboxes[at]!.take);
        }
        await publishAll(members[0]!, topic, range(40));
        const all = () => inboxes.flatMap((inbox) => inbox.texts());
        await until('forty events arrive', () => all().length >= 40);
        await sleep(300);
        assert.deepEqual(all().toSorted(byNumber), range(40));
      },
      several,
    );

    run('each group has all events, from every topic it subscribed to', async ({ open, topic }) => {
      const inboxes = [createInbox(), createInbox()];
      const other = `${topic}-other`;
      for (const [at, inbox] of inboxes.entries()) {
        const member = await open(`group-${at}`);
        await member.subscribe(topic, inbox.take);
        await member.subscribe(other, inbox.take);
      }
      const publisher = await open('publisher');
      await publishAll(publisher, topic, range(5));
      await publishAll(publisher, other, ['other']);
      for (const inbox of inboxes) {
        await inbox.has(6);
        assert.deepEqual(inbox.texts().toSorted(byNumber), [...range(5), 'other']);
      }
    });

    run(
      'a rejected event is handed over again until it is taken, and the others once',
      async ({ open, topic }) => {
        const member = await open('group');
        const inbox = createInbox();
        let refusals = 2;
        await member.subscribe(topic, async (message) => {
          await inbox.take(message);
          if (String(message.data) !== '1' || refusals === 0) return;
          refusals -= 1;
          throw new Error('not now');
        });
        await publishAll(member, topic, range(3));
        await inbox.has(5);
        await sleep(500);
        assert.deepEqual(inbox.texts().toSorted(byNumber), ['0', '1', '1', '1', '2']);
      },
    );

    for (const [closing, title] of [
      [
        false,
        'draining waits for what is in hand and takes nothing more; another of the group does',
      ],
      [true, 'draining waits for what a subscription that is being closed has in hand'],
    ] as const) {
      run(
        title,
        async ({ open, topic }) => {
          const [leaving, staying] = [await open('group'), await open('group')];
          const begun = Promise.withResolvers<void>();
          const release = Promise.withResolvers<void>();
          const first = createInbox();
          const listener = await leaving.subscribe(topic, async (message) => {
            await first.take(message);
            begun.resolve();
            await release.promise;
          });
          await publishAll(staying, topic, ['in hand']);
          await begun.promise;
          const closed = closing && listener.close();
          let drained = false;
          const draining = leaving.drain().then(() => {
            drained = true;
          });
          await sleep(100);
          const early = drained;
          release.resolve();
          await draining;
          await closed;
          const second = createInbox();
          await staying.subscribe(topic, second.take);
          await publishAll(staying, topic, ['later']);
          await second.has(1);
          assert.deepEqual([early, first.texts(), second.texts()], [false, ['in hand'], ['later']]);
        },
        several,
      );
    }

    run(
      'the broker is killed and comes back: what it took arrives, and what is published then',
      async ({ open, outage, topic }) => {
        const [publisher, member] = [await open('publisher'), await open('group')];
        const inbox = createInbox(2);
        await member.subscribe(topic, inbox.take);
        const taken: string[] = [];
        const publish = async (text: string) =>
          await publisher.publish(topic, { data: Buffer.from(text), metadata: {} }).then(
            () => void taken.push(text),
            () => {},
          );
        const before = Promise.all(range(200).map((text) => publish(text)));
        await until('the first is taken', () => taken.length > 0);
        await outage.begin();
        await before;
        const refused = await publisher
          .publish(topic, { data: Buffer.from('down'), metadata: {} })
          .then(
            () => 'taken',
            () => 'refused',
          );
        const many = range(3).map((text) => ({ data: Buffer.from(text), metadata: {} }));
        const refusedTogether = await publishMany(publisher, topic, many);
        await outage.end();
        await until('the publisher is back', async () => {
          await publish(`after ${taken.length}`);
          return taken.at(-1)!.startsWith('after');
        });
        const missing = () => {
          const arrived = new Set(inbox.texts());
          return taken.filter((text) => !arrived.has(text));
        };
        await until(
          () => `missing: ${missing()}`,
          () => missing().length === 0,
        );
        assert.deepEqual([refused, refusedTogether.filter(Boolean).length], ['refused', 3]);
      },
    );
  });
}

interface World extends BrokerUnderTest {
  readonly topic: string;
}

/** What brokers add: where a record lay in Kafka, whether MQTT had retained it. */
const OF_BROKERS = /^(?:__.*|retained)$/;

const range = (count: number) => Array.from({ length: count }, (_, n) => String(n));
const byNumber = (a: string, b: string) => Number(a) - Number(b) || a.localeCompare(b);

async function publishAll(broker: PubSub, topic: string, texts: readonly string[]) {
  for (const text of texts) await broker.publish(topic, { data: Buffer.from(text), metadata: {} });
}

/** Keeps what it is handed, each after a moment. */
function createInbox(takesMs = 0) {
  const messages: PubSubMessage[] = [];
  const take: PubSubHandler = async (message) => {
    if (takesMs > 0) await sleep(takesMs);
    messages.push(message);
  };
  return {
    take,
    messages: () => messages,
    texts: () => messages.map(({ data }) => String(data)),
    has: (count: number) => until(`${count} events arrive`, () => messages.length >= count),
  };
}
