import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '@holdfast/core';
import { createLogger } from '@holdfast/telemetry/log';
import { type RabbitServer, rabbitServer, Unavailable } from '@holdfast/test-servers';
import { ComponentSettings } from '../../../components/component-settings.ts';
import { outboxPubSub } from '../../outbox/outbox-pubsub.ts';
import { pubsubContract } from '../../testing/pubsub-contract.ts';
import { rabbitPubSub } from './rabbit-pubsub.ts';

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
    test('behind an outbox, what is published while it is away arrives when it is back', async (t) => {
      const lasting = { durable: 'true', deletedWhenUnused: 'false', consumerID: 'patient' };
      const folder = await mkdtemp(join(tmpdir(), 'holdfast-rabbit-'));
      t.after(() => rm(folder, { recursive: true, force: true }));
      const broker = await outboxPubSub(
        await open({ connectionString: url, ...lasting }),
        { component: 'p', path: join(folder, 'p.db'), maxBytes: 1e6, maxMessages: 1_000 },
        {
          clock: systemClock,
          log: createLogger({ write: () => {} }),
          outbound: () => undefined,
        },
      );
      t.after(() => broker.close());
      const texts: string[] = [];
      await broker.subscribe('away', async ({ data }) => void texts.push(String(data)));
      const publish = (n: number) =>
        broker.publish('away', { data: Buffer.from(`${n}`), metadata: {} });
      await publish(0);
      await rabbit.kill();
      for (let n = 1; n < 300; n += 1) await publish(n);
      await rabbit.restart();
      for (let tries = 0; tries < 600 && new Set(texts).size < 300; tries += 1) await sleep(100);
      // What was on its way when it was killed may come twice.
      const different = [...new Set(texts)].map(Number).toSorted((a, b) => a - b);
      assert.deepEqual(
        different,
        Array.from({ length: 300 }, (_, n) => n),
      );
    });
  });
}
