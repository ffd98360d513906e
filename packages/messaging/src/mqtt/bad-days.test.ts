import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { mosquittoServer, Unavailable } from '@holdfast/test-servers';
import * as mqtt from 'mqtt';
import { brokerBadDays, type MistreatedBroker } from '../testing/bad-days/broker-bad-days.ts';
import { poisonMessages } from '../testing/bad-days/poison-messages.ts';
import { eventually } from '../testing/eventually.ts';
import { type MqttProcess, mqttProcess } from '../testing/servers/mqtt-process.ts';
import { type MqttLayout, propertiesLayout } from './layout.ts';
import { mqttBroker } from './mqtt-broker.ts';

const dataDir = await mkdtemp(join(tmpdir(), 'holdfast-mqtt-'));
const mosquitto = await mosquittoServer();
const skip = mosquitto instanceof Unavailable ? mosquitto.why : false;
if (skip !== false && process.env.CI === 'true') throw new Error(skip);
let own: MqttProcess | undefined;
after(async () => {
  await own?.kill();
  await rm(dataDir, { recursive: true, force: true });
  if (!(mosquitto instanceof Unavailable)) await mosquitto.process.remove();
});

brokerBadDays(
  'mqttBroker on our own broker',
  async () => {
    own ??= await mqttProcess(dataDir);
    const server = own;
    const process = { stop: () => server.kill(), start: () => server.start() };
    return { ...mistreated(server.url), folder: dataDir, ...process };
  },
  { holdMs: 500, severalMembers: false },
);

brokerBadDays(
  'mqttBroker on Mosquitto',
  async () => {
    if (mosquitto instanceof Unavailable) throw new Error('unreachable: it is skipped');
    const { folder, process, url } = mosquitto;
    // A kill would lose what it has acknowledged and not written yet.
    return {
      ...mistreated(url),
      folder,
      stop: () => process.stop(),
      start: () => process.restart(),
    };
  },
  { skip, holdMs: 500, severalMembers: false },
);

function mistreated(url: string): Pick<MistreatedBroker, 'url' | 'tooLarge' | 'foreign' | 'wipe'> {
  return {
    url,
    tooLarge: {
      bytes: 1_100_000,
      says: /^it has 1100\d+ bytes, of at most 1048576 \(the packet; the size the broker allows\)/,
    },
    async foreign(topic) {
      const odd = Buffer.of(0xff, 0xfe, 0x00, 0xc3);
      const sent: [Buffer, mqtt.IClientPublishOptions['properties']][] = [
        [Buffer.from('nothing but a body'), undefined],
        [odd, { payloadFormatIndicator: false, correlationData: odd, contentType: 'x/y' }],
        [Buffer.alloc(0), undefined],
        [Buffer.from('newer'), { userProperties: { 'holdfast-id': 'newer', 'holdfast-v': '99' } }],
        [Buffer.from('two ids'), { userProperties: { 'holdfast-id': ['a', 'b'], x: ['1', '2'] } }],
        [Buffer.from('an empty id'), { userProperties: { 'holdfast-id': '' } }],
        [Buffer.from('a broken trace'), { userProperties: { traceparent: '00-zz-1-01' } }],
      ];
      const client = await mqtt.connectAsync(url, { protocolVersion: 5 });
      for (const [body, properties] of sent) {
        await client.publishAsync(topic, body, { qos: 1, ...(properties && { properties }) });
      }
      const old = await mqtt.connectAsync(url, { protocolVersion: 4 });
      await old.publishAsync(topic, 'from 3.1.1', { qos: 1 });
      await old.publishAsync(topic, 'of QoS 0', { qos: 0 });
      await Promise.all([client.endAsync(), old.endAsync()]);
      return [...sent.map(([body]) => body), Buffer.from('from 3.1.1'), Buffer.from('of QoS 0')];
    },
    async wipe(topic, group) {
      // Somebody takes over the session of the group, and ends it.
      const options = { clientId: `${group}:${topic}`, clean: true } as const;
      const thief = await mqtt.connectAsync(url, { protocolVersion: 5, ...options });
      await thief.endAsync();
    },
  };
}

test('a layout that throws costs its message the layout, and those behind it come', async (t) => {
  own ??= await mqttProcess(dataDir);
  const layout: MqttLayout = {
    ...propertiesLayout,
    messageOf(packet, wallMs) {
      if (String(packet.payload) === 'newer') throw new Error('no such version');
      return propertiesLayout.messageOf(packet, wallMs);
    },
  };
  const broker = mqttBroker({ mqtt, url: own.url, clientId: 'layout', layout });
  t.after(() => broker.close());
  const [got, told]: [string[], unknown[]] = [[], []];
  const onProblem = ({ error }: { readonly error: unknown }) => told.push((error as Error).message);
  await broker.subscribe('layout', { group: 'g', onProblem }, async ({ body, id }) => {
    got.push(`${id} ${String(body)}`);
  });
  await broker.publish(
    ['ours', 'newer', 'last'].map((id) => ({
      ...{ id, topic: 'layout', key: undefined, headers: {} },
      body: Buffer.from(id),
    })),
  );
  await eventually(
    () => got.length,
    (count) => count >= 3,
    'all are handled',
  );

  assert.deepEqual(got, ['ours ours', 'newer newer', 'last last']);
  assert.deepEqual(told, ['no such version']);
});

poisonMessages(
  'mqttBroker on our own broker',
  async () => {
    own ??= await mqttProcess(dataDir);
    return { url: own.url };
  },
  { counts: false },
);
