import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { systemClock } from '@holdfast/core';
import { type KafkaServer, kafkaProblem, startKafka } from '@holdfast/messaging/testing/kafka';
import { createLogger } from '@holdfast/telemetry/log';
import { ComponentSettings } from '../../../components/component-settings.ts';
import { pubsubContract } from '../../testing/pubsub-contract.ts';
import { kafkaPubSub } from './kafka-pubsub.ts';

const open = (metadata: Readonly<Record<string, string>>) =>
  kafkaPubSub(new ComponentSettings('p', Object.entries(metadata)), {
    appId: 'one',
    clock: systemClock,
    log: createLogger({ write: () => {} }),
  });

const problem = await kafkaProblem();
if (problem !== undefined) {
  if (process.env.CI === 'true') throw new Error(problem);
  test('pubsub.kafka', { skip: problem }, () => {});
} else {
  const dataDir = await mkdtemp(path.join(tmpdir(), 'holdfast-kafka-'));
  let server: KafkaServer = await startKafka({ dataDir });
  const { port } = server;
  after(async () => {
    await server.kill();
    await rm(dataDir, { recursive: true, force: true });
  });

  pubsubContract('pubsub.kafka', async () => ({
    open: (group) =>
      open({
        brokers: `127.0.0.1:${port}`,
        authType: 'none',
        consumerGroup: group,
        backOffDuration: '100ms',
      }),
    outage: {
      begin: () => server.kill(),
      async end() {
        server = await startKafka({ dataDir, port });
      },
    },
  }));
}
