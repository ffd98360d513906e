import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import * as kafka from '@platformatic/kafka';
import { brokerBadDays } from '../testing/bad-days/broker-bad-days.ts';
import { poisonMessages } from '../testing/bad-days/poison-messages.ts';
import { type KafkaServer, kafkaProblem, startKafka } from '../testing/servers/kafka-server.ts';

const problem = await kafkaProblem();
if (problem !== undefined && process.env.CI === 'true') {
  throw new Error(`On CI Apache Kafka must be there: ${problem}.`);
}

let folder: string | undefined;
let server: Promise<KafkaServer> | undefined;
after(async () => {
  await (await server)?.kill();
  if (folder !== undefined) await rm(folder, { recursive: true, force: true });
});

brokerBadDays(
  'kafkaBroker',
  async () => {
    const { port } = await running();
    const dataDir = folder ?? '';
    const bootstrapBrokers = [`127.0.0.1:${port}`];
    return {
      url: `kafka://127.0.0.1:${port}`,
      tooLarge: {
        bytes: 1_100_000,
        says: /^it has 1100000 bytes, of at most 1048588 \(max\.message\.bytes of the topic\)/,
      },
      async foreign(topic) {
        const text = (all: Record<string, string | Buffer>) =>
          new Map(
            Object.entries(all).map(([name, value]) => [Buffer.from(name), Buffer.from(value)]),
          );
        const odd = Buffer.of(0xff, 0xfe, 0x00, 0xc3);
        const records = [
          { value: Buffer.from('nothing but a body') },
          { value: odd, key: odd, headers: new Map([[odd, odd]]) },
          { key: Buffer.from('gone') },
          { value: Buffer.from('an empty id'), headers: text({ 'holdfast-id': '' }) },
          {
            value: Buffer.from('newer'),
            headers: text({ 'holdfast-id': 'newer', 'holdfast-version': '99', 'holdfast-x': odd }),
          },
          { value: Buffer.from('a broken trace'), headers: text({ traceparent: '00-zz-1-01' }) },
        ];
        const clientId = 'somebody-else';
        const producer = new kafka.Producer({ clientId, bootstrapBrokers, autocreateTopics: true });
        // One partition, so that what follows lies behind it.
        const messages = records.map((record) => ({ topic, partition: 0, ...record }));
        for (const message of messages) await producer.send({ messages: [message], acks: -1 });
        await producer.close(true);
        return records.map(({ value }) => value ?? Buffer.alloc(0));
      },
      async wipe(topic) {
        const admin = new kafka.Admin({ clientId: 'admin', bootstrapBrokers });
        await admin.deleteTopics({ topics: [topic] });
        await admin.close();
      },
      folder: dataDir,
      stop: async () => (await server)?.kill(),
      async start() {
        server = startKafka({ dataDir, port });
        await server;
      },
    };
  },
  {
    skip: problem ?? false,
    holdMs: 6_000,
    aheadBy1h: /clock .* further apart than Kafka allows .* set the wrong one/,
  },
);

poisonMessages(
  'kafkaBroker',
  async () => {
    const bootstrapBrokers = [`127.0.0.1:${(await running()).port}`];
    return {
      url: `kafka://${bootstrapBrokers[0]}`,
      async make(topic) {
        const admin = new kafka.Admin({ clientId: 'admin', bootstrapBrokers });
        await admin.createTopics({ topics: [topic], partitions: 3, replicas: 1 });
        await admin.close();
      },
    };
  },
  { skip: problem ?? false, ordersAlways: true },
);

async function running(): Promise<KafkaServer> {
  folder ??= await mkdtemp(join(tmpdir(), 'holdfast-kafka-'));
  server ??= startKafka({ dataDir: folder });
  return server;
}
