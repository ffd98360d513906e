import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { systemClock } from '@holdfast/core';
import { tcpProxy } from '@holdfast/messaging/testing';
import { createLogger } from '@holdfast/telemetry/log';
import { type NatsServer, natsServer, suiteWith, until } from '@holdfast/test-servers';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { ComponentSettings } from '../../../components/component-settings.ts';
import { pubsubContract } from '../../testing/pubsub-contract.ts';
import { jetstreamPubSub } from './jetstream-pubsub.ts';

await suiteWith('pubsub.jetstream', natsServer, suite);

function suite({ port, process: nats, url }: NatsServer): void {
  const open = (metadata: Readonly<Record<string, string>>) =>
    jetstreamPubSub(new ComponentSettings('p', Object.entries({ natsURL: url, ...metadata })), {
      clock: systemClock,
      log: createLogger({ write: () => {} }),
    });
  /** Subjects are an operator's to give to a stream. */
  const made = (async () => {
    const connection = await connect({ servers: url });
    const { streams } = await jetstreamManager(connection);
    const numbered = Array.from({ length: 20 }, (_, n) => [`topic-${n}`, `topic-${n}-other`]);
    await streams.add({ name: 'contract', subjects: numbered.flat() });
    await streams.add({ name: 'more', subjects: ['more.>'] });
    await connection.close();
  })();

  pubsubContract('pubsub.jetstream', async () => {
    await made;
    return {
      open: (group) => open({ durableName: group, queueGroupName: group, ackWait: '2s' }),
      outage: { begin: () => nats.kill(), end: () => nats.restart() },
      adds: ['Topic'],
    };
  });

  describe('pubsub.jetstream', () => {
    const published = async (topic: string, ...data: readonly string[]) => {
      const publisher = await open({});
      for (const each of data) {
        await publisher.publish(topic, { data: Buffer.from(each), metadata: {} });
      }
      await publisher.close();
    };
    /** What a sidecar gets of a topic, until it has as much as it wants. */
    const inbox = async (
      topic: string,
      wanted: number,
      metadata: Readonly<Record<string, string>> = {},
    ) => {
      const member = await open(metadata);
      const got: string[] = [];
      const all = Promise.withResolvers<void>();
      await member.subscribe(topic, async ({ data }) => {
        got.push(String(data));
        if (got.length >= wanted) all.resolve();
      });
      return { member, got, all: all.promise };
    };

    test('without a durable name each sidecar begins with what the stream holds, or as deliverPolicy says', async () => {
      await made;
      await published('more.begin', 'one', 'two');
      const [every, last] = [
        await inbox('more.begin', 3),
        await inbox('more.begin', 2, { deliverPolicy: 'last' }),
      ];
      await published('more.begin', 'three');
      await Promise.all([every.all, last.all]);
      await Promise.all([every.member.drain(), last.member.drain()]);

      assert.deepEqual(
        [every.got, last.got],
        [
          ['one', 'two', 'three'],
          ['two', 'three'],
        ],
      );
    });

    test('a connection that something between has forgotten: NATS has it as a member yet, and events come over the next', async (t) => {
      await made;
      const proxy = await tcpProxy(port);
      t.after(() => proxy.close());
      const natsURL = `nats://127.0.0.1:${proxy.port}`;
      const { got, member } = await inbox('more.silent', 2, {
        durableName: 'quiet',
        ackWait: '2s',
        natsURL,
      });
      await published('more.silent', 'before');
      await until('the first is there', () => got.length === 1);
      proxy.silence();
      await published('more.silent', 'after');
      // The first may come again: that it was taken may not have got through.
      await until('both have come', () => new Set(got).size === 2);
      await member.drain();
      await member.close();
      assert.deepEqual(new Set(got), new Set(['before', 'after']));
    });

    test('an event that is published again with its id is one event, and a dead letter of it another', async () => {
      await made;
      const event = JSON.stringify({ id: 'same', data: 1 });
      await published('more.twice', event, event, '"end"');
      await published('more.dead', event, '"end"');
      const [once, dead] = [await inbox('more.twice', 2), await inbox('more.dead', 2)];
      await Promise.all([once.all, dead.all]);
      await Promise.all([once.member.drain(), dead.member.drain()]);

      assert.deepEqual(
        [once.got, dead.got],
        [
          [event, '"end"'],
          [event, '"end"'],
        ],
      );
    });

    test('a subscription without a durable name goes on where it was when NATS has been away', async () => {
      await made;
      const { all, got, member } = await inbox('more.away', 3);
      await published('more.away', 'one', 'two');
      await until('both have come', () => got.length >= 2);
      await nats.stop();
      await nats.restart();
      let back = false;
      while (!back) {
        back = await published('more.away', 'three').then(
          () => true,
          () => false,
        );
      }
      await all;
      await member.drain();

      assert.deepEqual(got, ['one', 'two', 'three']);
    });

    test('a stream that was deleted and made again is read from its beginning: its numbers are others', async (t) => {
      await made;
      const operator = await connect({ servers: url });
      t.after(() => operator.close());
      const { streams } = await jetstreamManager(operator);
      const stream = { name: 'again', subjects: ['again.>'] };
      await streams.add(stream);
      const { all, got, member } = await inbox('again.x', 5, { durableName: 'again' });
      await published('again.x', 'one', 'two', 'three');
      await until('they have come', () => got.length === 3);
      await streams.delete('again');
      await streams.add(stream);
      await published('again.x', 'four', 'five');
      // It would look after its consumer in a while; this makes it look now.
      await operator.close();
      await nats.stop();
      await nats.restart();
      await all;
      await member.drain();

      assert.deepEqual(got, ['one', 'two', 'three', 'four', 'five']);
    });

    test('publishing where no stream has the subject fails', async () => {
      const publisher = await open({});
      const message = { data: Buffer.from('1'), metadata: {} };
      await assert.rejects(publisher.publish('nobody', message), {
        message: /did not take the messages: no stream of NATS at 127\.0\.0\.1:\d+ takes it/,
      });
      await publisher.close();
    });

    test('a seed that is none is refused by name, before anything is sent', async () => {
      await assert.rejects(open({ jwt: 'j', seedKey: 'secret' }), {
        message: 'component p: metadata seedKey must be a seed of NATS, which begins with S',
      });
    });

    test('a NATS that is not there is found out at the start', async () => {
      await assert.rejects(open({ natsURL: 'nats://u:secret@127.0.0.1:1' }), {
        message: /^NATS at 127\.0\.0\.1:1: .*refused$/i,
      });
    });
  });
}
