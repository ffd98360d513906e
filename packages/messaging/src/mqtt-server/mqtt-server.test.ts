import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, connect as connectSocket, createServer } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import * as mqtt from 'mqtt';
import { eventually } from '../testing/eventually.ts';
import { mqttProcess } from '../testing/servers/mqtt-process.ts';
import { tempDir } from '../testing/temp-dir.ts';
import { type MqttServerOptions, startMqttServer } from './mqtt-server.ts';

const PROGRAM = fileURLToPath(new URL('./mqtt-broker-main.ts', import.meta.url));

describe('the MQTT broker', () => {
  test('SIGKILL at once after the last PUBACK: all that was acknowledged arrives, in order, with its properties', async (t) => {
    const broker = await mqttProcess(await tempDir(t));
    t.after(() => broker.kill());
    const subscriber = await client(t, broker.url, { clientId: 'sub', clean: false });
    await subscriber.subscribeAsync('events', { qos: 1 });
    await subscriber.endAsync();
    const publisher = await client(t, broker.url, { clientId: 'pub', reconnectPeriod: 0 });

    const closed = new Promise<void>((resolve) => publisher.once('close', resolve));
    const acknowledged: string[] = [];
    for (let n = 0; n < 500; n += 1) {
      const properties = {
        userProperties: { n: String(n) },
        correlationData: Buffer.from([n % 256]),
      };
      publisher.publish('events', `${n}`, { qos: 1, properties }, (error) => {
        if (error) return;
        acknowledged.push(`${n}`);
        if (acknowledged.length === 250) broker.signal('SIGKILL');
      });
    }
    await closed;
    await broker.kill();
    await broker.start();

    const got: { body: string; n: unknown }[] = [];
    const again = await client(
      t,
      broker.url,
      { clientId: 'sub', clean: false },
      (_topic, body, packet) => {
        got.push({ body: body.toString(), n: packet.properties?.userProperties?.n });
      },
    );
    await eventually(
      () => got.length,
      (count) => count >= acknowledged.length,
      'all arrive',
    );
    await again.endAsync();

    assert.ok(acknowledged.length >= 250);
    const bodies = got.map(({ body }) => body);
    assert.deepEqual(bodies.slice(0, acknowledged.length), acknowledged);
    assert.deepEqual(
      got.map(({ n }) => n),
      bodies,
    );
  });

  test('a subscriber that reconnects into live traffic sees everything in order', async (t) => {
    const server = await start(t);
    const options = { clientId: 'sub', clean: false } as const;
    const first = await client(t, server.url, options);
    await first.subscribeAsync('events', { qos: 1 });
    await first.endAsync();
    const publisher = await client(t, server.url, { clientId: 'pub' });
    const publish = (from: number, to: number) =>
      Promise.all(
        Array.from({ length: to - from }, (_, n) =>
          publisher.publishAsync('events', `${from + n}`, { qos: 1 }),
        ),
      );
    await publish(0, 1_000);

    const got: number[] = [];
    const publishing = publish(1_000, 2_000);
    await client(t, server.url, options, (_topic, body) => got.push(Number(body)));
    await publishing;
    await eventually(
      () => got.length,
      (count) => count >= 2_000,
      'all arrive',
    );

    assert.deepEqual(
      got,
      Array.from({ length: 2_000 }, (_, n) => n),
    );
  });

  test('a MQTT 3.1.1 client is served; retained messages come with the subscription', async (t) => {
    const server = await start(t);
    const publisher = await client(t, server.url, { protocolVersion: 4 });
    await publisher.publishAsync('state/a', 'on', { qos: 1, retain: true });
    const got: string[] = [];
    const subscriber = await client(
      t,
      server.url,
      { protocolVersion: 4 },
      (topic, body, { retain }) => {
        got.push(`${topic}=${body.toString()}${retain ? ' (retained)' : ''}`);
      },
    );

    await subscriber.subscribeAsync('state/#', { qos: 1 });
    await publisher.publishAsync('state/b', 'off', { qos: 0 });
    await eventually(
      () => got.length,
      (count) => count >= 2,
      'both arrive',
    );

    assert.deepEqual(got, ['state/a=on (retained)', 'state/b=off']);
  });

  test('a full queue is refused with its reason, and nothing is dropped', async (t) => {
    const server = await start(t, { maxQueued: 2 });
    const sleeper = await client(t, server.url, { clientId: 'sleeper', clean: false });
    await sleeper.subscribeAsync('events', { qos: 1 });
    await sleeper.endAsync();
    const publisher = await client(t, server.url, {});
    const publish = () => reasonOf(publisher.publishAsync('events', 'x', { qos: 1 }));

    assert.deepEqual([await publish(), await publish(), await publish()], [0, 0, 151]);
  });

  test('one topic more with a retained message than there may be is refused, until another has none', async (t) => {
    const server = await start(t, { maxRetained: 2 });
    const publisher = await client(t, server.url, {});
    const retain = (topic: string, body: string) =>
      reasonOf(publisher.publishAsync(topic, body, { qos: 1, retain: true }));
    const told: unknown[] = [];
    for (const topic of ['a', 'b', 'c', 'b']) told.push(await retain(topic, 'x'));
    told.push(await retain('a', ''), await retain('c', 'x'));

    assert.deepEqual(told, [0, 0, 151, 0, 0, 0]);
  });

  test('a second client of the same name takes the place of the first', async (t) => {
    const server = await start(t);
    const first = await client(t, server.url, { clientId: 'twin', reconnectPeriod: 0 });
    const closed = new Promise<void>((resolve) => first.once('close', resolve));

    await client(t, server.url, { clientId: 'twin' });
    await closed;

    assert.equal(first.connected, false);
  });

  test('bytes that are no MQTT, and packets without end, cost a connection and nothing else', async (t) => {
    const server = await start(t, { maxPacketBytes: 1_024 });
    const port = Number(new URL(server.url).port);
    for (const bytes of [
      Buffer.from('GET / HTTP/1.1\r\n\r\n'),
      Buffer.concat([Buffer.from([0x10, 0xff, 0xff, 0xff, 0x7f]), Buffer.alloc(200_000)]),
    ]) {
      const socket = connectSocket(port, '127.0.0.1');
      socket.on('error', () => {});
      socket.write(bytes);
      await new Promise((resolve) => socket.once('close', resolve));
    }

    const healthy = await client(t, server.url, {});
    assert.equal(healthy.connected, true);
  });
});

describe('the MQTT broker’s program', () => {
  test('says when it is ready, and ends with 0 at SIGTERM', async (t) => {
    const broker = await mqttProcess(await tempDir(t));
    assert.equal(await broker.stop(), 0);
  });

  test('names a port that is taken, and the flag that changes it', async (t) => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    t.after(() => taken.close());
    const { port } = taken.address() as AddressInfo;

    const { code, stderr } = await program('--port', String(port), '--data', await tempDir(t));

    assert.deepEqual(
      [code, stderr],
      [1, `mqtt-broker: port ${port} is taken. Give another with --port.\n`],
    );
  });

  test('asks for its directory', async () => {
    const { code, stderr } = await program();
    assert.deepEqual(
      [code, stderr],
      [2, 'mqtt-broker: give it a directory for its database: --data DIR\n'],
    );
  });
});

/** What the broker says of a publication; 0 where it took it. */
function reasonOf(publishing: Promise<unknown>): Promise<unknown> {
  return publishing.then(
    () => 0,
    (error: { code?: unknown }) => error.code,
  );
}

async function start(t: TestContext, options: Partial<MqttServerOptions> = {}) {
  const server = await startMqttServer({ dataDir: await tempDir(t), port: 0, ...options });
  t.after(() => server.stop());
  return { url: `mqtt://127.0.0.1:${server.port}` };
}

/** A connected client of MQTT 5, whose session outlives it unless it says `clean`. */
async function client(
  t: TestContext,
  url: string,
  options: mqtt.IClientOptions,
  onMessage: mqtt.OnMessageCallback = () => {},
): Promise<mqtt.MqttClient> {
  const session = options.clean === false ? { properties: { sessionExpiryInterval: 3_600 } } : {};
  const connected = mqtt.connect(url, {
    protocolVersion: 5,
    reconnectPeriod: 50,
    ...session,
    ...options,
  });
  connected.on('message', onMessage);
  connected.on('error', () => {});
  t.after(() => connected.endAsync(true));
  await new Promise((resolve) => connected.once('connect', resolve));
  return connected;
}

async function program(...args: readonly string[]) {
  const child = spawn(process.execPath, ['--conditions=source', PROGRAM, ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let stderr = '';
  child.stderr.on('data', (bytes: Buffer) => {
    stderr += bytes.toString();
  });
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stderr };
}
