import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { create } from '@bufbuild/protobuf';
import { until } from '@holdfast/test-servers';
import * as kafka from '@platformatic/kafka';
import {
  InputBinding,
  ReadResponseSchema,
} from '../../../packages/sidecar/src/pluggable/protos/components_pb.ts';
import { startComponent } from '../../../packages/sidecar/src/pluggable/testing/start-component.ts';
import { bothMakes, type Make } from '../makes/both-makes.ts';
import { componentYaml } from '../makes/component-yaml.ts';
import { startEchoApp } from '../makes/echo-app.ts';
import { startFlagged } from '../makes/flagged.ts';
import { withKafka } from '../makes/with-kafka.ts';

await bothMakes(anyBindings);
await withKafka('bindings.kafka of an application that is not well', async (address) => {
  await bothMakes((make, executable) => kafkaBindings(make, executable, address));
});

/** `--enable-app-health-check`: what its input bindings have for an application that is not well stays where it is. */
function anyBindings(make: Make, executable: string | undefined): void {
  describe(`${make}, input bindings of an application that is not well`, () => {
    test('are not asked for events until it is, and then it is asked again whether it wants them', async (t) => {
      const tick = { schedule: '@every 1s' };
      const said = { ...tick, direction: 'input' };
      const app = await watchedApp(t, executable, {
        'bindings.yaml': [
          componentYaml('tick', 'bindings.cron', tick),
          componentYaml('said', 'bindings.cron', said),
        ].join('---'),
      });
      await app.arrival('POST /tick');
      await app.arrival('POST /said');
      await app.falls('ill');
      // One may have been on its way.
      await sleep(300);
      app.arrived.length = 0;
      await sleep(2_500);
      assert.equal(app.arrived.join(), '');
      await app.falls('well');
      await app.arrival('POST /tick');
      await app.arrival('POST /said');
      const questions = app.arrived.filter((one) => one.startsWith('OPTIONS'));
      assert.deepEqual(questions, ['OPTIONS /tick']);
    });

    test('have the stream of a component ended, and another afterwards', async (t) => {
      let open = 0;
      let opened = 0;
      const { folder } = await startComponent(t, 'mine', [InputBinding], (router) => {
        router.service(InputBinding, {
          init: () => ({}),
          ping: () => ({}),
          async *read(_requests, { signal }) {
            open += 1;
            opened += 1;
            yield create(ReadResponseSchema, { messageId: String(opened) });
            await once(signal, 'abort');
            open -= 1;
          },
        });
      });
      const inbox = componentYaml('inbox', 'bindings.mine', { direction: 'input' });
      const sockets = { DAPR_COMPONENTS_SOCKETS_FOLDER: folder };
      const app = await watchedApp(t, executable, { 'inbox.yaml': inbox }, sockets);
      await app.arrival('POST /inbox');
      await app.falls('ill');
      await until('its stream has ended', () => open === 0);
      app.arrived.length = 0;
      await app.falls('well');
      await app.arrival('POST /inbox');
      assert.deepEqual([open, opened], [1, 2]);
    });
  });
}

function kafkaBindings(make: Make, executable: string | undefined, address: string): void {
  test(`${make}, records of a binding wait for an application that is not well`, async (t) => {
    const topic = `${make}-unwell`;
    const producer = new kafka.Producer({
      bootstrapBrokers: [address],
      autocreateTopics: true,
      clientId: 'p',
    });
    t.after(() => producer.close(true));
    const send = async (text: string) => {
      const key = Buffer.from('k');
      const record = { topic, key, value: Buffer.from(text), headers: new Map<Buffer, Buffer>() };
      await producer.send({ messages: [record as kafka.MessageToProduce] });
    };
    const orders = {
      ...{ brokers: address, authType: 'none', initialOffset: 'oldest', topics: topic },
      ...{ consumerGroup: topic, direction: 'input' },
    };
    const resources = { 'orders.yaml': componentYaml('orders', 'bindings.kafka', orders) };
    await send('a');
    const app = await watchedApp(t, executable, resources);
    await app.arrival('POST /orders a');
    await app.falls('ill');
    await sleep(500);
    await send('b');
    await send('c');
    await sleep(2_000);
    assert.deepEqual(app.arrived, ['POST /orders a']);
    await app.falls('well');
    await app.arrival('POST /orders c');
    assert.deepEqual(app.arrived, ['POST /orders a', 'POST /orders b', 'POST /orders c']);

    // In its hand while it falls ill, and failed over.
    await send('slow');
    await app.arrival('POST /orders slow');
    await app.falls('ill');
    await until('it has failed', () => app.failed() === 1);
    await app.falls('well');
    await send('d');
    await app.arrival('POST /orders d');
    const times = app.arrived.filter((call) => call.endsWith('slow')).length;
    // A record that fails is not handed over again, but for this one: nobody would have had it.
    assert.equal(times, 2);
  });
}

/** Longer than it takes to be found ill. */
const SLOW_MS = 4_000;

/** An application whose health a sidecar looks at every second. */
async function watchedApp(
  t: TestContext,
  executable: string | undefined,
  resources: Readonly<Record<string, string>>,
  env: Readonly<Record<string, string>> = {},
) {
  let well = true;
  let failed = 0;
  /** Its calls but those for its health: method, path and body. */
  const arrived: string[] = [];
  const app = await startEchoApp(({ body, method, url }) => {
    if (url === '/well') return { status: well ? 200 : 503, body: '' };
    if (url.startsWith('/dapr/')) return { status: 404, body: '' };
    const call = `${method} ${url} ${body}`.trim();
    const fails = body === 'slow' && !arrived.includes(call);
    arrived.push(call);
    if (!fails) return { status: 200, body: '' };
    setTimeout(() => {
      failed += 1;
    }, SLOW_MS + 200);
    return { status: 500, body: '', afterMs: SLOW_MS };
  });
  const flags = {
    'app-port': app.port,
    'enable-app-health-check': true,
    'app-health-check-path': '/well',
    'app-health-probe-interval': 1,
    'app-health-threshold': 1,
  } as const;
  const sidecar = await startFlagged(executable, { flags, resources, env });
  t.after(async () => {
    await sidecar.stop();
    await app.close();
  });
  const entered = (status: string): number =>
    sidecar.said().split(`App entered ${status} status`).length - 1;
  return {
    arrived,
    failed: () => failed,
    async arrival(call: string): Promise<void> {
      await until(
        () => `${call} comes, and not only ${arrived}`,
        () => arrived.includes(call),
      );
    },
    /** Resolves when the sidecar knows. */
    async falls(health: 'ill' | 'well'): Promise<void> {
      const status = health === 'well' ? 'healthy' : 'un-healthy';
      const before = entered(status);
      well = health === 'well';
      await until(`it is ${health}`, () => entered(status) > before);
    },
  };
}
