import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type RabbitServer, rabbitServer, suiteWith, until } from '@holdfast/test-servers';
import {
  type TcpProxy,
  tcpProxy,
} from '../../../packages/messaging/src/testing/servers/tcp-proxy.ts';
import { type AppMesh, startAppMesh } from '../makes/app-mesh.ts';
import { bothMakes, type Make } from '../makes/both-makes.ts';
import { componentYaml } from '../makes/component-yaml.ts';
import { steadyFlow } from './steady-flow.ts';
import { subscriberApp } from './subscriber-app.ts';

await suiteWith('pubsub.rabbitmq, several sidecars', rabbitServer, async (server) => {
  await bothMakes((make, executable) => conformance(make, executable, server));
});

type Member = 'alpha' | 'beta' | 'publisher';

/** What Dapr's certification of `pubsub.rabbitmq` asks: consumers of their own, queues that stay, times to live, networks that go. */
function conformance(make: Make, executable: string | undefined, { port }: RabbitServer): void {
  describe(`${make}, pubsub.rabbitmq behind several sidecars`, () => {
    const topic = (name: string) => `${name}-${make}`;
    const listened = [
      { topic: topic('red') },
      { topic: topic('blue') },
      { topic: topic('lives'), pubsub: 'lives' },
    ];
    const apps = { alpha: subscriberApp(listened), beta: subscriberApp(listened) };
    let mesh: AppMesh<Member>;
    let proxy: TcpProxy;
    before(async () => {
      proxy = await tcpProxy(port);
      const setup = (consumerID: string, at: number, appPort?: number) => {
        const metadata = {
          ...{ connectionString: `amqp://guest:guest@127.0.0.1:${at}`, consumerID },
          ...{ durable: 'true', deletedWhenUnused: 'false', requeueInFailure: 'true' },
          reconnectWaitSeconds: '1',
        };
        const one = (name: string, more = {}) =>
          componentYaml(name, 'pubsub.rabbitmq', { ...metadata, ...more });
        const resources = {
          'a.yaml': one('broker'),
          'b.yaml': one('lives', { ttlInSeconds: '1' }),
        };
        return { ...(appPort === undefined ? {} : { appPort }), resources };
      };
      mesh = await startAppMesh<Member>(executable, {
        alpha: setup(topic('alpha'), proxy.port, await apps.alpha.start()),
        beta: setup(topic('beta'), proxy.port, await apps.beta.start()),
        publisher: setup(topic('publisher'), port),
      });
      for (const member of ['alpha', 'beta'] as const) await mesh.healthy(member);
    });
    after(async () => {
      await mesh?.stop();
      await proxy?.close();
      await Promise.all(Object.values(apps).map((app) => app.close()));
    });

    const publish = async (
      member: Member,
      broker: string,
      to: string,
      data: string,
      query = '',
    ) => {
      const at = `http://127.0.0.1:${mesh.port(member)}/v1.0/publish/${broker}/${to}${query}`;
      return (await fetch(at, { method: 'POST', body: data })).status;
    };
    const publishAll = async (to: string, texts: readonly string[]) => {
      for (const text of texts) assert.equal(await publish('publisher', 'broker', to, text), 204);
    };
    const texts = (of: string) => Array.from({ length: 60 }, (_, n) => `${of} ${n}`);
    const hasAll = (member: 'alpha' | 'beta', to: string, wanted: readonly string[]) =>
      until(
        () =>
          `${member} has ${wanted.length} of ${to}, and not only ${apps[member].texts(to).size}`,
        () => wanted.every((text) => apps[member].texts(to).has(text)),
      );

    test('each consumer has all of its topics', async () => {
      for (const name of ['red', 'blue']) {
        await publishAll(topic(name), texts(name));
        for (const member of ['alpha', 'beta'] as const) {
          await hasAll(member, topic(name), texts(name));
        }
      }
    });

    test('what is published while sidecars are away waits in their queues', async () => {
      await mesh.end('alpha');
      await mesh.end('beta');
      await publishAll(topic('red'), texts('away'));
      await mesh.begin('beta');
      await mesh.begin('alpha');
      await hasAll('alpha', topic('red'), texts('away'));
      await hasAll('beta', topic('red'), texts('away'));
    });

    // Whose connection was reset twice, a minute later has not subscribed again.
    const skip = make === 'daprd' && 'daprd publishes again, and does not subscribe again';
    test('a network that is gone for a while loses nothing that was answered with 204', {
      skip,
    }, async () => {
      const flow = steadyFlow((text) => publish('alpha', 'broker', topic('blue'), text));
      await flow.sends(10);
      // A port where nobody listens.
      proxy.target(1);
      await publishAll(topic('blue'), texts('meanwhile'));
      proxy.target(port);
      await flow.sends(10);
      const sent = await flow.stop();
      for (const member of ['alpha', 'beta'] as const) {
        await hasAll(member, topic('blue'), [...sent, ...texts('meanwhile')]);
      }
    });

    test('what has outlived its time while its consumer was away never comes', async () => {
      const to = topic('lives');
      await mesh.end('alpha');
      await mesh.end('beta');
      // Of a component, and of an event, which counts more.
      assert.equal(await publish('publisher', 'lives', to, 'short'), 204);
      assert.equal(
        await publish('publisher', 'lives', to, 'long', '?metadata.ttlInSeconds=600'),
        204,
      );
      assert.equal(
        await publish('publisher', 'broker', topic('red'), 'brief', '?metadata.ttlInSeconds=1'),
        204,
      );
      await sleep(1_500);
      await publishAll(topic('red'), ['after it']);
      await mesh.begin('alpha');
      await hasAll('alpha', to, ['long']);
      await hasAll('alpha', topic('red'), ['after it']);
      assert.equal(apps.alpha.texts(to).has('short'), false);
      assert.equal(apps.alpha.texts(topic('red')).has('brief'), false);
    });
  });
}
