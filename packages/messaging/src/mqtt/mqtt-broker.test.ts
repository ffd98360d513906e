import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import * as mqtt from 'mqtt';
import { type BrokerUnderTest, brokerContract } from '../testing/contracts/broker-contract.ts';
import { eventually } from '../testing/eventually.ts';
import { type MqttProcess, mqttProcess } from '../testing/servers/mqtt-process.ts';
import { tempDir } from '../testing/temp-dir.ts';
import { mqttBroker } from './mqtt-broker.ts';

const dataDir = await mkdtemp(join(tmpdir(), 'holdfast-mqtt-'));
let server: MqttProcess | undefined;
after(async () => {
  await server?.kill();
  await rm(dataDir, { recursive: true, force: true });
});

brokerContract(
  'mqttBroker',
  async (): Promise<BrokerUnderTest> => {
    server ??= await mqttProcess(dataDir);
    const running = server;
    return {
      connect: (clientId) =>
        mqttBroker({ mqtt, url: running.url, clientId, timeoutMs: 3_000, reconnectMs: 50 }),
      tooLargeBytes: 1_048_577,
      kill: () => running.kill(),
      start: () => running.start(),
    };
  },
  { severalMembers: false, parallel: false },
);

test('a broker that is stopped, not gone, does not hang the publisher', async (t) => {
  const process = await mqttProcess(await tempDir(t));
  t.after(() => process.kill());
  const broker = mqttBroker({ mqtt, url: process.url, clientId: 'p', timeoutMs: 300 });
  t.after(() => broker.close());
  const got: string[] = [];
  const consumer = mqttBroker({ mqtt, url: process.url, clientId: 'c' });
  t.after(() => consumer.close());
  await consumer.subscribe('t', { group: 'g' }, async ({ id }) => void got.push(id));
  await broker.publish([message('first')]);

  process.signal('SIGSTOP');
  await assert.rejects(broker.publish([message('second')]), {
    code: 'BROKER_UNAVAILABLE',
    message: `${process.url} did not acknowledge a message within 300 ms.`,
  });
  process.signal('SIGCONT');
  await eventually(
    () =>
      broker.publish([message('third')]).then(
        () => true,
        () => false,
      ),
    (published) => published,
    'publishing works again',
  );
  await eventually(
    () => got,
    (ids) => ids.includes('third'),
    'the third arrives',
  );
  // What lay in the socket's buffer may still have been read: at least once, never less.
  assert.deepEqual(
    got.filter((id) => id !== 'second'),
    ['first', 'third'],
  );
});

test('a message for a topic nobody has subscribed to is postponed, unless that is allowed', async (t) => {
  const process = await mqttProcess(await tempDir(t));
  t.after(() => process.kill());
  const strict = mqttBroker({ mqtt, url: process.url, clientId: 'strict' });
  const lax = mqttBroker({ mqtt, url: process.url, clientId: 'lax', requireSubscriber: false });
  t.after(() => Promise.all([strict.close(), lax.close()]));

  await assert.rejects(strict.publish([message('a')]), {
    code: 'BROKER_REJECTED',
    rejected: new Map(),
    postponed: new Map([['a', 'nobody has subscribed to "t" yet']]),
  });
  await lax.publish([message('a')]);
});

test('options that cannot work are refused, naming the culprit', () => {
  assert.throws(() => mqttBroker({ mqtt, url: 'localhost', clientId: 'x' }), {
    name: 'TypeError',
    message: 'mqttBroker.url must be a URL such as mqtt://127.0.0.1:1883, not "localhost".',
  });
});

function message(id: string) {
  return { id, topic: 't', key: undefined, body: Buffer.from(id), headers: {} };
}
