import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import * as kafka from '@platformatic/kafka';
import { type BrokerUnderTest, brokerContract } from '../testing/broker-contract.ts';
import { type KafkaServer, kafkaProblem, startKafka } from '../testing/kafka-server.ts';
import { kafkaBroker } from './kafka-broker.ts';

const problem = await kafkaProblem();
if (problem !== undefined && process.env.CI === 'true') {
  throw new Error(`On CI Apache Kafka must be there: ${problem}.`);
}

let dataDir: string | undefined;
let server: Promise<KafkaServer> | undefined;
after(async () => {
  await (await server)?.kill();
  if (dataDir !== undefined) await rm(dataDir, { recursive: true, force: true });
});

brokerContract(
  'kafkaBroker',
  async (): Promise<BrokerUnderTest> => {
    dataDir ??= await mkdtemp(join(tmpdir(), 'holdfast-kafka-'));
    server ??= startKafka({ dataDir });
    const { port } = await server;
    return {
      connect: (clientId) =>
        kafkaBroker({ kafka, bootstrap: [`127.0.0.1:${port}`], clientId, reconnectMs: 200 }),
      tooLargeBytes: 1_100_000,
      kill: async () => (await server)?.kill(),
      async start() {
        server = startKafka({ dataDir: dataDir ?? '', port });
        await server;
      },
    };
  },
  { skip: problem ?? false },
);
