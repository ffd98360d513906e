import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, test } from 'node:test';
import { promisify } from 'node:util';
import { systemClock } from '@holdfast/core';
import { createLogger } from '@holdfast/telemetry/log';
import {
  findProgram,
  freePort,
  type MosquittoServer,
  mosquittoServer,
  suiteWith,
  until,
  withServer,
} from '@holdfast/test-servers';
import { ComponentSettings } from '../../../components/component-settings.ts';
import { pubsubContract } from '../../testing/pubsub-contract.ts';
import { mqttPubSub } from './mqtt-pubsub.ts';

const open = (metadata: Readonly<Record<string, string>>) =>
  mqttPubSub(new ComponentSettings('p', Object.entries(metadata)), {
    appId: 'one',
    clock: systemClock,
    log: createLogger({ write: () => {} }),
  });
const message = (text: string) => ({ data: Buffer.from(text), metadata: {} });

await suiteWith('pubsub.mqtt3', mosquittoServer, suite);

function suite({ process: mosquitto, url }: MosquittoServer): void {
  let tests = 0;
  pubsubContract(
    'pubsub.mqtt3',
    async () => {
      // A session is the consumer's, whatever it subscribed to: each test has its own.
      tests += 1;
      const own = `-of-${tests}`;
      return {
        open: (group) => open({ url, consumerID: `${group}${own}` }),
        // A kill would lose what Mosquitto has acknowledged and not written yet.
        outage: { begin: () => mosquitto.stop(), end: () => mosquitto.restart() },
      };
    },
    { metadata: false, severalMembers: false },
  );

  describe('pubsub.mqtt3', () => {
    for (const [unsubscribeOnClose, wanted] of [
      ['true', ['later']],
      ['false', ['between', 'later']],
    ] as const) {
      test(`with unsubscribeOnClose ${unsubscribeOnClose}, what is published after a subscription has ended ${unsubscribeOnClose === 'true' ? 'is not kept' : 'waits'}`, async (t) => {
        const publisher = await open({ url, consumerID: randomUUID() });
        const consumerID = randomUUID();
        const topic = `ending-${unsubscribeOnClose}`;
        const first = await open({ url, consumerID });
        const listener = await first.subscribe(topic, async () => {}, { unsubscribeOnClose });
        await listener.close();
        await first.close();
        await publisher.publish(topic, message('between'));
        const second = await open({ url, consumerID });
        t.after(() => Promise.all([second.close(), publisher.close()]));
        const texts: string[] = [];
        await second.subscribe(topic, async ({ data }) => void texts.push(String(data)));
        await publisher.publish(topic, message('later'));
        await until('what came later is there', () => texts.includes('later'));
        assert.deepEqual(texts, wanted);
      });
    }

    test('draining waits for what is in hand; what comes then is its successor’s', async (t) => {
      const [leaving, publisher] = [await open({ url, consumerID: 'd' }), await open({ url })];
      t.after(() => Promise.all([leaving.close(), publisher.close()]));
      const begun = Promise.withResolvers<void>();
      const release = Promise.withResolvers<void>();
      const events: string[] = [];
      await leaving.subscribe('drained', async ({ data }) => {
        begun.resolve();
        await release.promise;
        events.push(`first: ${data}`);
      });
      await publisher.publish('drained', message('in hand'));
      await begun.promise;
      const draining = leaving.drain().then(() => events.push('drained'));
      await publisher.publish('drained', message('later'));
      release.resolve();
      await draining;
      const done = Promise.withResolvers<void>();
      const next = await open({ url, consumerID: 'd' });
      t.after(() => next.close());
      await next.subscribe('drained', async ({ data }) => {
        events.push(`second: ${data}`);
        done.resolve();
      });
      await done.promise;
      assert.deepEqual(events, ['first: in hand', 'drained', 'second: later']);
    });

    test('members of `$share` are sidecars with names of their own', async (t) => {
      const members = [
        await open({ url, consumerID: randomUUID() }),
        await open({ url, consumerID: randomUUID() }),
      ];
      t.after(() => Promise.all(members.map((one) => one.close())));
      const all = Promise.withResolvers<void>();
      const counts = [0, 0];
      const topics = new Set<string>();
      for (const [at, member] of members.entries()) {
        await member.subscribe('$share/workers/work', async ({ topic }) => {
          topics.add(String(topic));
          counts[at]! += 1;
          if (counts[0]! + counts[1]! === 10) all.resolve();
        });
      }
      for (let n = 0; n < 10; n += 1) await members[0]!.publish('work', message(String(n)));
      await all.promise;
      assert.deepEqual([...topics], ['work']);
      assert.ok(
        counts.every((count) => count > 0),
        String(counts),
      );
    });

    test('the certificate of the server is checked, and ours shown', async (t) => {
      const openssl = findProgram('openssl');
      if (openssl === undefined) return t.skip('openssl is not on this machine');
      const folder = await mkdtemp(path.join(tmpdir(), 'holdfast-mqtt-tls-'));
      t.after(() => rm(folder, { recursive: true, force: true }));
      const [certFile, keyFile] = [path.join(folder, 'cert.pem'), path.join(folder, 'key.pem')];
      await promisify(execFile)(openssl, [
        ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '1', '-subj', '/CN=mqtt'],
        ...['-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', keyFile, '-out', certFile],
      ]);
      const port = await freePort();
      const secure = await withServer(t, () =>
        mosquittoServer([
          ...[`listener ${port} 127.0.0.1`, `cafile ${certFile}`, `certfile ${certFile}`],
          ...[`keyfile ${keyFile}`, 'require_certificate true'],
        ]),
      );
      if (secure === undefined) return;
      const cert = await readFile(certFile, 'utf8');
      const pair = { clientCert: cert, clientKey: await readFile(keyFile, 'utf8') };
      const outcome = async (more: Readonly<Record<string, string>>) => {
        try {
          const pubsub = await open({ url: `ssl://127.0.0.1:${port}`, ...more });
          await pubsub.publish('secure', message('x'));
          await pubsub.close();
          return 'published';
        } catch {
          return 'refused';
        }
      };
      assert.deepEqual(
        [
          await outcome({ ...pair, caCert: cert }),
          await outcome(pair),
          await outcome({ caCert: cert }),
        ],
        ['published', 'refused', 'refused'],
      );
    });
  });
}
