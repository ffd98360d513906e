import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type RabbitServer, rabbitServer, suiteWith, until } from '@holdfast/test-servers';
import { type AppMesh, startAppMesh } from '../makes/app-mesh.ts';
import { bothMakes, type Make } from '../makes/both-makes.ts';
import { componentYaml } from '../makes/component-yaml.ts';
import type { Seen } from '../makes/echo-app.ts';

await suiteWith(
  'pubsub.rabbitmq, while RabbitMQ is short of memory',
  rabbitServer,
  async (server) => {
    await bothMakes((make, executable) => conformance(make, executable, server));
  },
);

/** RabbitMQ's alarm: it reads nothing from those who publish, and goes on to hand out what it has. */
function conformance(make: Make, executable: string | undefined, server: RabbitServer): void {
  describe(`${make}, while RabbitMQ is short of memory`, () => {
    const arrived: string[] = [];
    // An outbox is ours alone.
    const brokers = make === 'holdfast' ? ['plain', 'kept'] : ['plain'];
    const wanted = brokers.map((name) => ({
      ...{ pubsubname: name, topic: `alarm-${make}-${name}`, route: `/on-${name}` },
    }));
    const instead = ({ body, url }: Seen) => {
      if (url === '/dapr/subscribe') return { status: 200, body: JSON.stringify(wanted) };
      if (!url.startsWith('/on-')) return undefined;
      arrived.push(JSON.parse(body).data);
      return { status: 200, body: '' };
    };
    let mesh: AppMesh<'caller'>;
    before(async () => {
      const at = { connectionString: server.url, durable: 'true' };
      const components = brokers.map((name) =>
        componentYaml(name, 'pubsub.rabbitmq', name === 'kept' ? { ...at, outbox: 'true' } : at),
      );
      const caller = { resources: { 'brokers.yaml': components.join('---') } };
      mesh = await startAppMesh(executable, { caller }, undefined, instead);
    });
    after(async () => {
      await calm(server);
      await mesh?.stop();
    });
    const publish = async (broker: string, text: string) => {
      const to = `http://127.0.0.1:${mesh.port('caller')}/v1.0/publish/${broker}/alarm-${make}-${broker}`;
      const headers = { 'content-type': 'application/json' };
      const body = JSON.stringify(text);
      return (await fetch(to, { method: 'POST', headers, body })).status;
    };
    const publishFive = (broker: string, when: string) =>
      Array.from({ length: 5 }, async (_, n) => {
        const text = `${broker} ${when} ${n}`;
        return { text, status: await publish(broker, text) };
      });
    const come = async (texts: readonly string[]) =>
      until('all that was accepted comes', () => texts.every((text) => arrived.includes(text)));

    test('what was accepted comes when it has memory again; an outbox accepts at once', async () => {
      for (const broker of brokers) {
        // A queue that is not bound yet gets nothing.
        await until(`${broker} is subscribed to`, async () => {
          await publish(broker, broker);
          return arrived.includes(broker);
        });
      }
      await server.control('set_vm_memory_high_watermark', 'absolute', '1');
      await until('the alarm is raised', async () =>
        (await server.control('eval', 'rabbit_alarm:get_alarms().')).includes('memory'),
      );
      const waiting = publishFive('plain', 'in the alarm');
      if (make === 'holdfast') {
        const kept = await Promise.all(publishFive('kept', 'in the alarm'));
        assert.deepEqual(new Set(kept.map(({ status }) => status)), new Set([204]));
      }
      await calm(server);
      const answers = await Promise.all(waiting);
      const accepted = answers.filter(({ status }) => status === 204).map(({ text }) => text);
      const kept = Array.from({ length: 5 }, (_, n) => `kept in the alarm ${n}`);
      await come(make === 'holdfast' ? [...accepted, ...kept] : accepted);
    });
  });
}

const calm = (server: RabbitServer) => server.control('set_vm_memory_high_watermark', '0.4');
