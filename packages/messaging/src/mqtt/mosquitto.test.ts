import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { VirtualClock } from '@holdfast/core/testing';
import { type MosquittoServer, mosquittoServer, suiteWith } from '@holdfast/test-servers';
import * as mqtt from 'mqtt';
import type { SubscriptionProblem } from '../broker.ts';
import { type IncomingMessage, type OutgoingMessage, textOf } from '../message.ts';
import { type BrokerAbilities, brokerContract } from '../testing/contracts/broker-contract.ts';
import { eventually } from '../testing/eventually.ts';
import { propertiesLayout } from './layout.ts';
import { mqttBroker } from './mqtt-broker.ts';
import type { MqttBrokerOptions } from './options.ts';

await suiteWith('mqttBroker on Mosquitto', mosquittoServer, suite);

type More = Omit<MqttBrokerOptions, 'mqtt' | 'url' | 'clientId'>;

function suite({ process: mosquitto, url }: MosquittoServer): void {
  const open = (clientId: string, more: More = {}) =>
    mqttBroker({ mqtt, url, clientId, timeoutMs: 3_000, reconnectMs: 50, ...more });
  const contract = (name: string, more: More, abilities: BrokerAbilities) =>
    brokerContract(
      `mqttBroker on Mosquitto, ${name}`,
      async () => ({
        connect: (clientId) => open(clientId, more),
        tooLargeBytes: 1_048_577,
        // A kill would lose what Mosquitto has acknowledged and not written yet.
        kill: () => mosquitto.stop(),
        start: () => mosquitto.restart(),
      }),
      abilities,
    );

  contract('a session for each topic of a group', {}, { severalMembers: false });
  contract('a session for each group', { session: 'group' }, { severalMembers: false });
  contract(
    'a session for each member',
    { session: 'member' },
    { severalMembers: false, orderedMembers: false, successor: 'namesake' },
  );
  contract(
    'members that leave when they close',
    { session: 'member', leaveOnClose: true },
    { orderedMembers: false, successor: 'nobody' },
  );

  describe('mqttBroker on Mosquitto', () => {
    let topics = 0;
    const begin = (t: TestContext) => {
      topics += 1;
      const got: string[] = [];
      return {
        topic: `mosquitto/${topics}`,
        got,
        connect(clientId: string, more: More = {}) {
          const broker = open(clientId, more);
          t.after(() => broker.close());
          return broker;
        },
        count: (wanted: number) =>
          eventually(
            () => got.length,
            (count) => count >= wanted,
            `${wanted} arrive`,
          ),
      };
    };

    test('members of one group are at work at the same time', async (t) => {
      const { connect, topic } = begin(t);
      const together = Promise.withResolvers<void>();
      const inside = new Set<string>();
      for (const name of ['one', 'two']) {
        const member = connect(name, { session: 'member' });
        await member.subscribe(topic, { group: 'g' }, async () => {
          inside.add(name);
          if (inside.size === 2) together.resolve();
          await together.promise;
        });
      }
      await connect('p').publish(['a', 'b', 'c', 'd'].map((id) => message(topic, id)));
      await together.promise;
      assert.deepEqual(inside, new Set(['one', 'two']));
    });

    test('MQTT 3.1.1: the body arrives, and nothing beside it', async (t) => {
      const { connect, count, got, topic } = begin(t);
      const old = { protocolVersion: 4 } as const;
      const ids = new Set<string>();
      await connect('c', old).subscribe(topic, { group: 'old' }, async (one) => {
        got.push(`${textOf(one)} ${one.key} ${Object.keys(one.headers)}`);
        ids.add(one.id);
      });
      await connect('p', old).publish([
        { ...message(topic, 'a'), key: 'k', headers: { color: 'red' } },
        message(topic, 'b'),
      ]);
      await count(2);
      assert.deepEqual([got, ids.size], [['a undefined ', 'b undefined '], 2]);
    });

    test('MQTT 3.1.1: what comes while a group is away is kept, and comes again until it is handled', async (t) => {
      const { connect, count, got, topic } = begin(t);
      const old = { protocolVersion: 4 } as const;
      const options = { group: 'away', redeliverMs: 10 };
      const first = connect('first', old);
      await first.subscribe(topic, options, async () => {});
      await first.close();
      await connect('p', old).publish([message(topic, 'a'), message(topic, 'b')]);
      await connect('second', old).subscribe(topic, options, async (one) => {
        got.push(textOf(one));
        if (got.length < 3) throw new Error('not yet');
      });
      await count(4);
      assert.deepEqual(got, ['a', 'a', 'a', 'b']);
    });

    test('wildcards in a session for all topics of a group: each message to who asked for it', async (t) => {
      const { connect, count, got, topic } = begin(t);
      const consumer = connect('c', { session: 'group' });
      const read = (filter: string) =>
        consumer.subscribe(
          `${topic}/${filter}`,
          { group: topic.replace('/', '-') },
          async (one) => {
            got.push(`${filter}: ${one.topic.slice(topic.length + 1)}`);
          },
        );
      await read('a');
      await read('+/b');
      const levels = ['a', 'x/b', 'x/c'].map((level) => message(`${topic}/${level}`, level));
      await connect('p', { requireSubscriber: false }).publish(levels);
      await count(2);
      await assert.rejects(read('a'), { name: 'TypeError' });
      assert.deepEqual(got.toSorted(), ['+/b: x/b', 'a: a']);
    });

    test('what a kept session had waits until its topic is subscribed to', async (t) => {
      const { connect, count, got, topic } = begin(t);
      const group = topic.replace('/', '-');
      const handler = async (one: IncomingMessage) => void got.push(one.topic);
      const first = connect('first', { session: 'group' });
      await first.subscribe(`${topic}/a`, { group }, handler);
      await first.subscribe(`${topic}/b`, { group }, handler);
      await first.close();
      await connect('p').publish(['b', 'a'].map((one) => message(`${topic}/${one}`, one)));
      const second = connect('second', { session: 'group' });
      await second.subscribe(`${topic}/a`, { group }, handler);
      await count(1);
      await second.subscribe(`${topic}/b`, { group }, handler);
      await count(2);
      assert.deepEqual(got, [`${topic}/a`, `${topic}/b`]);
    });

    test('what nobody subscribes to is told of after a minute, and is kept', async (t) => {
      const { connect, count, got, topic } = begin(t);
      const group = topic.replace('/', '-');
      const handler = async (one: IncomingMessage) => void got.push(one.topic);
      const first = connect('first', { session: 'group' });
      for (const each of ['a', 'b']) await first.subscribe(`${topic}/${each}`, { group }, handler);
      await first.close();
      await connect('p').publish(['b', 'a'].map((one) => message(`${topic}/${one}`, one)));
      const clock = new VirtualClock();
      const told: string[] = [];
      const onProblem = (problem: SubscriptionProblem) => {
        if (problem.kind === 'unclaimed') told.push(problem.topic);
      };
      const second = connect('second', { session: 'group', clock });
      await second.subscribe(`${topic}/a`, { group, onProblem }, handler);
      await count(1);
      await clock.advance(59_000);
      const early = [...told];
      await clock.advance(2_000);
      await second.subscribe(`${topic}/b`, { group }, handler);
      await count(2);
      assert.deepEqual([early, told, got], [[], [`${topic}/b`], [`${topic}/a`, `${topic}/b`]]);
    });

    test('what nobody subscribes to goes to who is named for it, and no longer holds up the rest', async (t) => {
      const { connect, got, topic } = begin(t);
      const group = topic.replace('/', '-');
      const handler = async (one: IncomingMessage) => void got.push(textOf(one));
      const first = connect('first', { session: 'group' });
      for (const each of ['a', 'b']) await first.subscribe(`${topic}/${each}`, { group }, handler);
      await first.close();
      // More than Mosquitto sends ahead.
      const stale = Array.from({ length: 150 }, (_, n) => message(`${topic}/b`, `b${n}`));
      await connect('p').publish([...stale, message(`${topic}/a`, 'a')]);
      const clock = new VirtualClock();
      const strays: string[] = [];
      const second = connect('second', {
        session: 'group',
        clock,
        claimMs: 30_000,
        unclaimed: async ({ id, delivery }) => {
          if (id === 'b0' && delivery === 1) throw new Error('not yet');
          strays.push(id);
        },
      });
      const problems: string[] = [];
      const onProblem = ({ kind }: SubscriptionProblem) => problems.push(kind);
      await second.subscribe(`${topic}/a`, { group, onProblem }, handler);
      await eventually(
        async () => {
          await clock.advance(1_000);
          return got;
        },
        ([one]) => one === 'a',
        'the other topic goes on',
      );
      assert.deepEqual(
        [strays, problems],
        [stale.map(({ id }) => id), ['unclaimed', 'handler-failed']],
      );
    });

    test('a topic that was closed can be subscribed to again, beside others of its session', async (t) => {
      const { connect, count, got, topic } = begin(t);
      const group = topic.replace('/', '-');
      const handler = async (one: IncomingMessage) => void got.push(textOf(one));
      const consumer = connect('c', { session: 'group' });
      await consumer.subscribe(`${topic}/other`, { group }, handler);
      const first = await consumer.subscribe(topic, { group }, handler);
      await first.close();
      await connect('p').publish([message(topic, 'meanwhile'), message(`${topic}/other`, 'other')]);
      await count(1);
      await consumer.subscribe(topic, { group }, handler);
      await count(2);
      assert.deepEqual(got, ['other', 'meanwhile']);
    });

    test('a handler may take longer than the broker waits for a sign of life', async (t) => {
      const { connect, count, got, topic } = begin(t);
      const problems: string[] = [];
      // Mosquitto waits for 3 s, half of it again beyond what it was told.
      const consumer = connect('c', { keepaliveS: 2 });
      const options = {
        group: 'slow',
        onProblem: ({ kind }: SubscriptionProblem) => problems.push(kind),
      };
      await consumer.subscribe(topic, options, async (one) => {
        await sleep(one.id === 'long' ? 4_000 : 0);
        got.push(one.id);
      });
      await connect('p').publish([message(topic, 'long'), message(topic, 'short')]);
      await count(2);
      assert.deepEqual([got, problems], [['long', 'short'], []]);
    });

    test('a retained message is the topic’s last word to those who come later', async (t) => {
      const { connect, count, got, topic } = begin(t);
      const layout = { ...propertiesLayout, extrasOf: () => ({ retain: true }) };
      const publisher = connect('p', { layout, qos: 0, requireSubscriber: false });
      await publisher.publish([message(topic, 'first'), message(topic, 'last')]);
      await connect('c').subscribe(topic, { group: 'later' }, async (one) => {
        got.push(textOf(one));
      });
      await count(1);
      assert.deepEqual(got, ['last']);
    });
  });
}

test('a broker that is closed before it was reached asks no more', async () => {
  const broker = mqttBroker({ mqtt, url: 'mqtt://127.0.0.1:1', clientId: 'c', reconnectMs: 50 });
  let problems = 0;
  const onProblem = () => {
    problems += 1;
  };
  const subscribed = broker.subscribe('t', { group: 'g', onProblem }, async () => {});
  const refused = assert.rejects(subscribed, { message: /^"t" is no longer asked for/ });
  await eventually(
    () => problems,
    (count) => count >= 2,
    'it asks more than once',
  );
  await broker.close();
  await refused;
  const atClose = problems;
  await sleep(300);

  assert.equal(problems, atClose);
});

test('topics that MQTT does not have cannot be subscribed to', async () => {
  const broker = mqttBroker({ mqtt, url: 'mqtt://127.0.0.1:1', clientId: 'c' });
  for (const topic of ['a#', 'a/+b', '', '$share/g/', '$share/g']) {
    const subscribed = broker.subscribe(topic, { group: 'g' }, async () => {});
    await assert.rejects(subscribed, { name: 'TypeError', message: /cannot be subscribed to/ });
  }
});

test('what MQTT 3.1.1 cannot do is refused, naming the culprit', () => {
  const refused = (more: More) => {
    try {
      mqttBroker({ mqtt, url: 'mqtt://h', clientId: 'c', ...more });
      return 'opened';
    } catch (error) {
      return (error as Error).message;
    }
  };
  assert.deepEqual(
    [
      refused({ protocolVersion: 4, session: 'member' }),
      refused({ protocolVersion: 4, requireSubscriber: true }),
      refused({ protocolVersion: 3 as 4 }),
      refused({ qos: 3 as 1 }),
      refused({ session: 'one' as 'topic' }),
      refused({ unclaimed: 'drop' as 'keep' }),
      refused({ claimMs: -1 }),
    ],
    [
      'mqttBroker.session "member" needs protocolVersion 5.',
      'mqttBroker.requireSubscriber needs protocolVersion 5: set it to false.',
      'mqttBroker.protocolVersion must be 4 or 5, not 3.',
      'mqttBroker.qos must be 0, 1 or 2, not 3.',
      'mqttBroker.session must be topic, group or member, not "one".',
      'mqttBroker.unclaimed must be keep or a function, not "drop".',
      'mqttBroker.claimMs must be a whole number from 0 to 600000, not -1.',
    ],
  );
});

function message(topic: string, id: string): OutgoingMessage {
  return { id, topic, key: undefined, body: Buffer.from(id.replace(/.*\//, '')), headers: {} };
}
