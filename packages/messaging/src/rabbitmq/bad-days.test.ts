import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { type RabbitServer, rabbitServer, Unavailable } from '@holdfast/test-servers';
import * as amqp from 'amqplib';
import { brokerAt } from '../testing/bad-days/broker-at.ts';
import { brokerBadDays } from '../testing/bad-days/broker-bad-days.ts';
import { poisonMessages } from '../testing/bad-days/poison-messages.ts';
import { eventually } from '../testing/eventually.ts';

const found = await rabbitServer();
if (found instanceof Unavailable && process.env.CI === 'true') throw new Error(found.why);
const skip = found instanceof Unavailable ? found.why : false;
const server = found as RabbitServer;
after(() => (skip === false ? server.process.remove() : undefined));

async function onChannel(work: (channel: amqp.ConfirmChannel) => Promise<void>): Promise<void> {
  const connection = await amqp.connect(server.url);
  const channel = await connection.createConfirmChannel();
  await work(channel);
  await channel.waitForConfirms();
  await connection.close();
}

brokerBadDays(
  'rabbitBroker',
  async () => ({
    url: server.url,
    tooLarge: {
      bytes: 1_100_000,
      says: /^it has 1100000 bytes, of at most 1048576 \(max_message_size of RabbitMQ\)/,
    },
    async foreign(topic) {
      const odd = Buffer.of(0xff, 0xfe, 0x00, 0xc3);
      const nested = { list: [1, { deep: true }], bytes: odd, none: null, half: 0.5, big: 2 ** 40 };
      const sent: [Buffer, amqp.Options.Publish][] = [
        [Buffer.from('nothing but a body'), {}],
        [odd, { contentType: 'application/x-unheard-of', contentEncoding: 'br' }],
        [Buffer.alloc(0), { messageId: '' }],
        [
          Buffer.from('newer'),
          { messageId: 'newer', headers: { 'holdfast-version': 99, ...nested } },
        ],
        [Buffer.from('a key that is no text'), { messageId: 'k', headers: { 'holdfast-key': 7 } }],
        [
          Buffer.from('counted by another'),
          { messageId: 'c', headers: { 'x-delivery-count': 'many' } },
        ],
        [Buffer.from('a broken trace'), { messageId: 't', headers: { traceparent: '00-zz-1-01' } }],
      ];
      await onChannel(async (channel) => {
        for (const [body, options] of sent) channel.publish(topic, '', body, options);
      });
      return sent.map(([body]) => body);
    },
    wipe: (topic, group) =>
      onChannel(async (channel) => {
        await channel.deleteQueue(`${group}-${topic}`);
        await channel.deleteExchange(topic);
      }),
    folder: server.folder,
    stop: () => server.process.kill(),
    start: () => server.process.restart(),
  }),
  { skip, holdMs: 2_000 },
);

test('an exchange that is deleted alone, with its bindings, is made and bound again while members read', {
  skip,
}, async (t) => {
  const broker = await brokerAt(server.url, 'unbound');
  t.after(() => broker.close());
  const got: string[] = [];
  await broker.subscribe('unbound', { group: 'g' }, async ({ id }) => void got.push(id));
  await onChannel(async (channel) => {
    await channel.deleteExchange('unbound');
  });
  const publish = (id: string) =>
    broker.publish([{ id, topic: 'unbound', key: undefined, body: Buffer.from(id), headers: {} }]);
  const said = new Set<string>();
  await eventually(
    () =>
      publish('after').then(
        () => true,
        (error: Error) => void said.add(error.message),
      ),
    (published) => published === true,
    'it is bound again',
  );
  await eventually(
    () => got,
    (ids) => ids.includes('after'),
    'it arrives',
  );

  // Nothing was confirmed and dropped meanwhile.
  assert.deepEqual(got, ['after']);
  assert.ok(
    [...said].some((message) => message.includes('nobody has subscribed')),
    [...said].join(),
  );
});

poisonMessages('rabbitBroker', async () => ({ url: `${server.url}?queue=quorum` }), { skip });
