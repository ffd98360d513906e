import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import tls from 'node:tls';
import { systemClock } from '@holdfast/core';
import { createLogger } from '@holdfast/telemetry/log';
import {
  freePort,
  type RabbitServer,
  rabbitServer,
  selfSigned,
  suiteWith,
  until,
} from '@holdfast/test-servers';
import { ComponentSettings } from '../../../components/component-settings.ts';
import { outboxPubSub } from '../../outbox/outbox-pubsub.ts';
import { pubsubContract } from '../../testing/pubsub-contract.ts';
import { rabbitPubSub } from './rabbit-pubsub.ts';

await suiteWith('pubsub.rabbitmq', rabbitServer, suite);

function suite({ port, process: rabbit, url }: RabbitServer): void {
  const open = (metadata: Readonly<Record<string, string>>, mayBeAway = false) =>
    rabbitPubSub(new ComponentSettings('p', Object.entries(metadata)), {
      appId: 'one',
      clock: systemClock,
      log: createLogger({ write: () => {} }),
      mayBeAway,
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
    test('an outbox waits for a server that is away, not for one that does not let it in', async () => {
      const away = { connectionString: `amqp://guest:guest@127.0.0.1:${await freePort()}` };
      const shutOut = { connectionString: `amqp://guest:wrong@127.0.0.1:${port}` };
      const outcome = async (metadata: Readonly<Record<string, string>>, mayBeAway: boolean) => {
        try {
          await (await open(metadata, mayBeAway)).close();
          return 'opens';
        } catch (error) {
          return (error as Error).name;
        }
      };
      assert.deepEqual(
        [
          await outcome(away, false),
          await outcome(away, true),
          await outcome(shutOut, false),
          await outcome(shutOut, true),
        ],
        ['UnreachableError', 'opens', 'BrokerUnavailableError', 'BrokerUnavailableError'],
      );
    });

    test('over TLS the certificate of the server is checked and ours shown, and saslExternal asks to sign in with it', async (t) => {
      const [theirs, ours] = [await selfSigned(), await selfSigned()];
      const front = await tlsFront(t, port, {
        key: theirs.key,
        cert: theirs.certificate,
        // Whose certificate it is, is asked below.
        ...{ requestCert: true, rejectUnauthorized: false },
      });
      const pair = { clientCert: ours.certificate, clientKey: ours.key };
      const outcome = async (more: Readonly<Record<string, string>>) => {
        try {
          const broker = await open({
            connectionString: `amqps://guest:guest@127.0.0.1:${front.port}`,
            ...more,
          });
          await broker.publish('secure', { data: Buffer.from('x'), metadata: {} });
          await broker.close();
          return 'published';
        } catch (error) {
          return (error as Error).message;
        }
      };
      assert.equal(await outcome({ caCert: theirs.certificate, ...pair }), 'published');
      assert.equal(front.shown.at(-1), ours.certificate.replaceAll(/\s|-----[A-Z ]+-----/g, ''));
      assert.match(await outcome(pair), /self[- ]signed certificate/);
      // This RabbitMQ has no such way to sign in, and says so.
      const external = { caCert: theirs.certificate, ...pair, saslExternal: 'true' };
      assert.match(await outcome(external), /SASL mechanism EXTERNAL/);
    });

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
      await until('the first is there', () => texts.length > 0);
      // RabbitMQ has a new queue's bindings on its disk a moment later. One that is killed before forgets them,
      // and what is published before the group is back would reach no queue.
      await sleep(2_000);
      await rabbit.kill();
      for (let n = 1; n < 300; n += 1) await publish(n);
      await rabbit.restart();
      await until(
        () => `all come, not ${new Set(texts).size}`,
        () => new Set(texts).size >= 300,
      );
      // What was on its way when it was killed may come twice.
      const different = [...new Set(texts)].map(Number).toSorted((a, b) => a - b);
      assert.deepEqual(
        different,
        Array.from({ length: 300 }, (_, n) => n),
      );
    });
  });
}

/** TLS in front of a server that has none; keeps what certificates clients showed. */
async function tlsFront(t: TestContext, port: number, options: tls.TlsOptions) {
  const shown: (string | undefined)[] = [];
  const server = tls.createServer(options, (secure) => {
    shown.push(secure.getPeerX509Certificate()?.raw.toString('base64'));
    const plain = net.connect(port, '127.0.0.1');
    secure.pipe(plain).pipe(secure);
    for (const [one, other] of [
      [secure, plain],
      [plain, secure],
    ] as const) {
      one.on('error', () => other.destroy());
      one.on('close', () => other.destroy());
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const { port: own } = server.address() as net.AddressInfo;
  return { port: own, shown };
}
