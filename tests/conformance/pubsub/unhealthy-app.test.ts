import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type RedisServer, redisServer, suiteWith, until } from '@holdfast/test-servers';
import { Redis } from 'ioredis';
import { bothMakes, type Make } from '../makes/both-makes.ts';
import { componentYaml } from '../makes/component-yaml.ts';
import { startEchoApp } from '../makes/echo-app.ts';
import { startFlagged } from '../makes/flagged.ts';

await suiteWith('pubsub.redis', redisServer, async (server) => {
  await bothMakes((make, executable) => unhealthyApp(make, executable, server));
});

/** When an event that was taken is anybody's again. */
const SOON = { processingTimeout: '1s', redeliverInterval: '500ms' };

/** `--enable-app-health-check`: an application that is not well is brought no events; they wait at the broker. */
function unhealthyApp(make: Make, executable: string | undefined, redis: RedisServer): void {
  describe(`${make}, events of an application that is not well`, () => {
    test('wait for it, or for another of its group, and are no dead letters', async (t) => {
      let well = true;
      const arrived: string[] = [];
      const wanted = [
        { pubsubname: 'bus', topic: 'orders', route: '/orders', deadLetterTopic: 'dead' },
        { pubsubname: 'bus', topic: 'dead', route: '/dead' },
      ];
      const app = await startEchoApp(({ body, url }) => {
        if (url === '/dapr/subscribe') return { status: 200, body: JSON.stringify(wanted) };
        if (url === '/well') return { status: well ? 200 : 503, body: '' };
        if (url !== '/orders' && url !== '/dead') return undefined;
        const { data } = JSON.parse(body) as { data: string };
        arrived.push(`${url} ${data}`);
        const slow = data === 'slow' && well;
        return slow
          ? { status: 503, body: '', afterMs: 2_500 }
          : { status: well ? 200 : 503, body: '' };
      });
      const client = new Redis(redis.port, '127.0.0.1');
      await client.flushall();
      client.disconnect();
      const broker = { redisHost: `127.0.0.1:${redis.port}`, ...SOON };
      const sidecar = await startFlagged(executable, {
        flags: {
          'app-port': app.port,
          'enable-app-health-check': true,
          'app-health-check-path': '/well',
          'app-health-probe-interval': 1,
          'app-health-threshold': 1,
        },
        resources: { 'bus.yaml': componentYaml('bus', 'pubsub.redis', broker) },
      });
      t.after(async () => {
        await sidecar.stop();
        await app.close();
      });
      const at = `http://127.0.0.1:${sidecar.ports.http}/v1.0`;
      const publish = async (data: string) => {
        const headers = { 'content-type': 'text/plain' };
        const url = `${at}/publish/bus/orders`;
        const { status } = await fetch(url, { method: 'POST', headers, body: data });
        assert.equal(status, 204);
      };
      const subscriptions = async () =>
        ((await (await fetch(`${at}/metadata`)).json()) as { subscriptions: [] }).subscriptions;

      await until('it is well', () => /App entered healthy status/.test(sidecar.said()));
      // Whoever subscribes makes the group, and reads what was there before.
      await publish('a');
      await until('an event comes', () => arrived.length === 1);
      // In its hand while it falls ill.
      await publish('slow');
      await until('another comes', () => arrived.length === 2);
      well = false;
      await until('it is not well', () => /App entered un-healthy status/.test(sidecar.said()));
      await sleep(500);
      await publish('b');
      await sleep(2_000);
      assert.deepEqual(arrived, ['/orders a', '/orders slow']);
      // What it wants is what it was.
      assert.equal((await subscriptions()).length, 2);

      well = true;
      await until('the event comes', () => arrived.includes('/orders b'));
      assert.deepEqual(
        arrived.filter((one) => one.startsWith('/dead')),
        [],
      );
      // This daprd acknowledges what the application failed over.
      if (make === 'holdfast') {
        await until('the other comes again', () => arrived.lastIndexOf('/orders slow') > 1);
      }
    });
  });
}
