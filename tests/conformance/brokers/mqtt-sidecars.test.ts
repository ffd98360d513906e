import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type MosquittoServer, mosquittoServer, suiteWith, until } from '@holdfast/test-servers';
import {
  type TcpProxy,
  tcpProxy,
} from '../../../packages/messaging/src/testing/servers/tcp-proxy.ts';
import { type AppMesh, startAppMesh } from '../makes/app-mesh.ts';
import { bothMakes, type Make } from '../makes/both-makes.ts';
import { componentYaml } from '../makes/component-yaml.ts';
import { steadyFlow } from './steady-flow.ts';
import { subscriberApp } from './subscriber-app.ts';

await suiteWith('pubsub.mqtt3, several sidecars', mosquittoServer, async (server) => {
  await bothMakes((make, executable) => conformance(make, executable, server));
});

type Member = 'first' | 'second' | 'third';

/** What Dapr's certification of `pubsub.mqtt3` asks: consumers of their own, wildcards, sidecars and networks that go. */
function conformance(
  make: Make,
  executable: string | undefined,
  { port, url }: MosquittoServer,
): void {
  describe(`${make}, pubsub.mqtt3 behind several sidecars`, () => {
    const wild = `orders-${make}`;
    const shared = `mine-${make}`;
    const topic = `neworder-${make}`;
    const apps = {
      first: subscriberApp([{ topic }]),
      second: subscriberApp([{ topic }]),
      third: subscriberApp([
        { topic: `${wild}/#`, name: 'wild' },
        { topic: `$share/mygroup/${shared}/+/hello`, name: 'shared' },
      ]),
    };
    let mesh: AppMesh<Member>;
    let proxy: TcpProxy;
    before(async () => {
      proxy = await tcpProxy(port);
      const ports = await Promise.all(Object.values(apps).map((app) => app.start()));
      const setup = (appPort: number, name: string, at: string) => ({
        appPort,
        resources: {
          'mqtt.yaml': componentYaml('broker', 'pubsub.mqtt3', {
            ...{ url: at, consumerID: `${name}-${make}` },
          }),
        },
      });
      mesh = await startAppMesh(executable, {
        first: setup(ports[0]!, 'first', `tcp://127.0.0.1:${proxy.port}`),
        second: setup(ports[1]!, 'second', `tcp://127.0.0.1:${proxy.port}`),
        third: setup(ports[2]!, 'third', url.replace('mqtt:', 'tcp:')),
      });
      for (const member of ['first', 'second', 'third'] as const) await mesh.healthy(member);
    });
    after(async () => {
      await mesh?.stop();
      await proxy?.close();
      await Promise.all(Object.values(apps).map((app) => app.close()));
    });

    const publish = async (member: Member, to: string, data: string) => {
      const at = `http://127.0.0.1:${mesh.port(member)}/v1.0/publish/broker/${to}`;
      const answer = await fetch(at, { method: 'POST', body: data });
      return answer.status;
    };
    const publishAll = async (
      member: Member,
      to: (n: number) => string,
      texts: readonly string[],
    ) => {
      for (const [n, text] of texts.entries())
        assert.equal(await publish(member, to(n), text), 204);
    };
    const texts = (of: string) => Array.from({ length: 100 }, (_, n) => `${of} ${n}`);
    const hasAll = (member: Member, wanted: readonly string[], name = topic) =>
      until(
        () => `${member} has ${wanted.length}, and not only ${apps[member].texts(name).size}`,
        () => wanted.every((text) => apps[member].texts(name).has(text)),
      );

    test('two that publish at once: each consumer has all of it', async () => {
      const [own, other] = [texts('of the first'), texts('of the second')];
      await Promise.all([
        publishAll('first', () => topic, own),
        publishAll('second', () => topic, other),
      ]);
      await hasAll('first', [...own, ...other]);
      await hasAll('second', [...own, ...other]);
    });

    test('# takes every level below, and $share with + those of one place', async () => {
      const [below, hello] = [texts('below'), texts('hello')];
      await publishAll('first', (n) => `${wild}/${n % 2 === 0 ? n : `${n}/deeper/still`}`, below);
      await publishAll('first', (n) => `${shared}/${n}/hello`, hello);
      await publishAll('first', (n) => `${shared}/${n}/farewell`, ['another']);
      await hasAll('third', below, 'wild');
      await hasAll('third', hello, 'shared');
      await sleep(200);
      assert.deepEqual(
        [apps.third.texts('wild').size, apps.third.texts('shared').size],
        [below.length, hello.length],
      );
    });

    test('what the broker keeps of a topic comes when somebody subscribes, and says so', async () => {
      const query = '?metadata.retain=true';
      assert.equal(await publish('first', `${wild}/kept${query}`, 'kept'), 204);
      await hasAll('third', ['kept'], 'wild');
      assert.equal(apps.third.headersOf('wild', 'kept')?.retained, 'false');
      await mesh.end('third');
      await mesh.begin('third');
      await until('it comes once more', () => {
        return apps.third.headersOf('wild', 'kept')?.retained === 'true';
      });
    });

    test('what is published while a sidecar is away comes when it is back', async () => {
      const [one, both] = [texts('the second is away'), texts('both are away')];
      await mesh.end('second');
      await publishAll('first', () => topic, one);
      await hasAll('first', one);
      await mesh.end('first');
      await publishAll('third', () => topic, both);
      await mesh.begin('second');
      await mesh.begin('first');
      // daprd is given it before it has subscribed, knows nobody whom it is for, and has it again with the next connection.
      if (make === 'daprd') proxy.target(port);
      await hasAll('second', [...one, ...both]);
      await hasAll('first', both);
    });

    test('a network that is gone for a while loses nothing that was answered with 204', async () => {
      const flow = steadyFlow((text) => publish('first', topic, text));
      await flow.sends(10);
      // A port where nobody listens.
      proxy.target(1);
      await publishAll('third', () => topic, texts('meanwhile'));
      proxy.target(port);
      await flow.sends(10);
      const sent = await flow.stop();
      for (const member of ['first', 'second'] as const) {
        await hasAll(member, [...sent, ...texts('meanwhile')]);
      }
    });
  });
}
