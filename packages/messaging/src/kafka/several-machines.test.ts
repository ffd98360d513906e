import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import * as kafka from '@platformatic/kafka';
import { severalMachines } from '../testing/outages/several-machines.ts';
import { type KafkaServer, kafkaProblem, startKafka } from '../testing/servers/kafka-server.ts';
import { postgresSuite } from '../testing/servers/postgres-suite.ts';

/** It takes minutes: the members of a group are missed after six seconds at the earliest. */
const ASKED = process.env.HOLDFAST_NODE_FAULTS !== undefined;
const problem = ASKED ? await kafkaProblem() : 'only with HOLDFAST_NODE_FAULTS=4';

let dataDir: string | undefined;
let server: Promise<KafkaServer> | undefined;
after(async () => {
  await (await server)?.kill();
  if (dataDir !== undefined) await rm(dataDir, { recursive: true, force: true });
});

if (problem !== undefined) test('several machines on one Kafka', { skip: problem }, () => {});
else {
  await postgresSuite('several machines on one Kafka', (suite) => {
    severalMachines(suite, async () => {
      server ??= start();
      const { port } = await server;
      return {
        where: `kafka://127.0.0.1:${port}`,
        // The shortest session that Kafka grants.
        holdMs: 6_000,
        pauseMs: 100,
        handleMs: 20,
        begin: (_schema, topic) => makeTopic(port, topic),
      };
    });
  });
}

/** A partition for each worker; the events' keys are in all of them. */
async function makeTopic(port: number, topic: string): Promise<void> {
  const bootstrapBrokers = [`127.0.0.1:${port}`];
  const admin = new kafka.Admin({ clientId: 'admin', bootstrapBrokers });
  await admin.createTopics({ topics: [topic], partitions: 4, replicas: 1 });
  await admin.close();
}

async function start(): Promise<KafkaServer> {
  dataDir = await mkdtemp(join(tmpdir(), 'holdfast-kafka-'));
  return startKafka({ dataDir });
}
