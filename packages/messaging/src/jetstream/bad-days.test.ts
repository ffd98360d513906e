import assert from 'node:assert/strict';
import { connect as connectTcp } from 'node:net';
import { after, test } from 'node:test';
import { type NatsServer, natsServer, Unavailable } from '@holdfast/test-servers';
import * as jetstream from '@nats-io/jetstream';
import * as nats from '@nats-io/transport-node';
import type { BrokerRejectedError } from '../errors.ts';
import { brokerBadDays } from '../testing/bad-days/broker-bad-days.ts';
import { poisonMessages } from '../testing/bad-days/poison-messages.ts';
import { unknownTopic } from '../testing/bad-days/unknown-topic.ts';
import { jetstreamBroker } from './jetstream-broker.ts';

const found = await natsServer();
if (found instanceof Unavailable && process.env.CI === 'true') throw new Error(found.why);
const skip = found instanceof Unavailable ? found.why : false;
const server = found as NatsServer;
after(() => (skip === false ? server.process.remove() : undefined));

brokerBadDays(
  'jetstreamBroker',
  async () => ({
    url: server.url,
    tooLarge: {
      bytes: 1_100_000,
      says: /^it has 1100\d+ bytes, of at most 1048576 \(max_payload of the server\)/,
    },
    async foreign(topic) {
      const subject = `holdfast.${topic}`;
      const bodies: Buffer[] = [];
      const bytes = (text: string | Buffer) => {
        bodies.push(Buffer.from(text));
        return bodies.at(-1)!;
      };
      const connection = await nats.connect({ servers: server.url });
      const client = jetstream.jetstream(connection);
      const headers = (all: Record<string, string | string[]>) => {
        const made = nats.headers();
        for (const [name, values] of Object.entries(all)) {
          for (const value of [values].flat()) made.append(name, value);
        }
        return { headers: made };
      };
      await client.publish(subject, bytes('nothing but a body'));
      await client.publish(subject, bytes(Buffer.of(0xff, 0xfe, 0x00, 0xc3)));
      await client.publish(subject, bytes(''));
      const newer = { 'holdfast-id': 'newer', 'holdfast-version': '99', 'holdfast-shard': '3' };
      await client.publish(subject, bytes('newer'), headers(newer));
      const odd = { 'holdfast-id': 'odd', 'holdfast-key': '%E0%A4%A', twice: ['a', 'b'] };
      await client.publish(subject, bytes('a key that is not encoded'), headers(odd));
      const trace = { traceparent: '00-zz-1-01' };
      await client.publish(subject, bytes('a broken trace'), headers(trace));
      await connection.close();
      for (const [at, lines] of [
        'NATS/1.0\r\nno colon\r\n\r\n',
        'NATS/9.9 what\r\n\r\n',
        'rubbish',
      ].entries()) {
        await rawPublish(subject, lines, bytes(`headers that are none, ${at}`));
      }
      return bodies;
    },
    async wipe() {
      const connection = await nats.connect({ servers: server.url });
      const manager = await jetstream.jetstreamManager(connection);
      await manager.streams.delete('holdfast');
      await connection.close();
    },
    folder: server.folder,
    stop: () => server.process.kill(),
    start: () => server.process.restart(),
  }),
  { skip, holdMs: 2_000 },
);

test('a message larger than its stream takes is rejected with size and limit, those beside it are taken', {
  skip,
}, async (t) => {
  const connection = await nats.connect({ servers: server.url });
  const manager = await jetstream.jetstreamManager(connection);
  await manager.streams.add({ name: 'small', subjects: ['small.>'], max_msg_size: 1_000 });
  await connection.close();
  const [servers, clientId] = [[server.url], 'small'];
  const broker = jetstreamBroker({ nats, jetstream, servers, clientId, stream: 'small' });
  t.after(() => broker.close());
  const bodies = { little: 10, large: 2_000 };
  const refused = broker.publish(
    Object.entries(bodies).map(([id, bytes]) => ({
      ...{ id, topic: 't', key: undefined, headers: {} },
      body: Buffer.alloc(bytes),
    })),
  );

  await assert.rejects(refused, (error: BrokerRejectedError) => {
    assert.deepEqual([...error.taken], ['little']);
    assert.match(
      error.rejected.get('large') ?? '',
      /^it has 20\d\d bytes, of at most 1000 \(max_msg_size of the stream\): raise that, or send/,
    );
    return true;
  });
});

test('a topic that no stream takes is dead, with the reason, once others have gone through', {
  skip,
}, async (t) => {
  const connection = await nats.connect({ servers: server.url });
  const manager = await jetstream.jetstreamManager(connection);
  await manager.streams.add({ name: 'narrow', subjects: ['narrow.known'] });
  await connection.close();
  const options = { nats, jetstream, servers: [server.url], clientId: 'narrow', stream: 'narrow' };
  const broker = jetstreamBroker({ ...options, timeoutMs: 2_000 });
  t.after(() => broker.close());

  assert.match(
    await unknownTopic(t, broker, { known: 'known', unknown: 'unknown' }),
    /^lost: .*no stream of NATS at \S+ takes it/,
  );
});

/** With headers that no client would send. Resolves when the server has read them. */
async function rawPublish(subject: string, headers: string, body: Buffer): Promise<void> {
  const socket = connectTcp(server.port, '127.0.0.1');
  const size = Buffer.byteLength(headers);
  socket.write('CONNECT {"verbose":false,"headers":true,"no_responders":true}\r\n');
  socket.write(`HPUB ${subject} ${size} ${size + body.byteLength}\r\n${headers}`);
  socket.write(Buffer.concat([body, Buffer.from('\r\nPING\r\n')]));
  await new Promise<void>((resolve, reject) => {
    socket.on('data', (data) => {
      if (String(data).includes('-ERR')) reject(new Error(String(data)));
      if (String(data).includes('PONG')) resolve();
    });
    socket.on('error', reject);
  });
  socket.destroy();
}

poisonMessages('jetstreamBroker', async () => ({ url: server.url }), { skip });
