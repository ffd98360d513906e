import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { systemClock } from '@holdfast/core';
import { createLogger } from '@holdfast/telemetry/log';
import { type RabbitServer, rabbitServer, Unavailable } from '@holdfast/test-servers';
import { ComponentSettings } from '../components/component-settings.ts';
import { rabbitPubSub } from './rabbit-pubsub.ts';
import { pubsubContract } from './testing/pubsub-contract.ts';

const server = await rabbitServer();
if (server instanceof Unavailable) {
  if (process.env.CI === 'true') throw new Error(server.why);
  test('pubsub.rabbitmq', { skip: server.why }, () => {});
} else suite(server);

function suite({ process: rabbit, url }: RabbitServer): void {
  after(() => rabbit.remove());
  const open = (metadata: Readonly<Record<string, string>>) =>
    rabbitPubSub(new ComponentSettings('p', Object.entries(metadata)), {
      appId: 'one',
      namespace: 'default',
      podName: undefined,
      clock: systemClock,
      log: createLogger({ write: () => {} }),
    });

  pubsubContract('pubsub.rabbitmq', async () => ({
    open: (group) =>
      open({
        connectionString: url,
        consumerID: group,
        durable: 'true',
        deletedWhenUnused: 'false',
      }),
    outage: { begin: () => rabbit.kill(), end: () => rabbit.restart() },
  }));

  describe('pubsub.rabbitmq', () => {
    test('says what of its metadata cannot be, or is not in this version', async () => {
      const refused = async (metadata: Readonly<Record<string, string>>) =>
        await open(metadata).then(
          () => 'opened',
          (error: Error) => error.message,
        );
      assert.deepEqual(
        [
          await refused({}),
          await refused({ connectionString: url, exchangeKind: 'topic' }),
          await refused({ connectionString: url, enableDeadLetter: 'true' }),
          await refused({ connectionString: 'http://h' }),
        ],
        [
          'metadata connectionString, or hostname, must be given',
          'metadata exchangeKind: "topic" is not in this version',
          'metadata enableDeadLetter: "true" is not in this version',
          'rabbitBroker.url must be a URL such as amqp://127.0.0.1:5672.',
        ],
      );
    });
  });
}
