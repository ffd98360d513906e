import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { after, describe, type TestContext, test } from 'node:test';
import { type MosquittoServer, mosquittoServer, Unavailable } from '@holdfast/test-servers';
import * as mqtt from 'mqtt';
import { type OutgoingMessage, textOf } from '../message.ts';
import { brokerContract } from '../testing/contracts/broker-contract.ts';
import { eventually } from '../testing/eventually.ts';
import { mqttBroker } from './mqtt-broker.ts';

const server = await mosquittoServer();
if (server instanceof Unavailable) {
  if (process.env.CI === 'true') throw new Error(server.why);
  test('mqttBroker with QoS 2', { skip: server.why }, () => {});
} else suite(server);

function suite({ process: mosquitto, url }: MosquittoServer): void {
  after(() => mosquitto.remove());
  const open = (clientId: string, qos: 1 | 2, protocolVersion: 4 | 5 = 5) =>
    mqttBroker({ mqtt, url, clientId, qos, protocolVersion, timeoutMs: 3_000, reconnectMs: 50 });
  brokerContract(
    'mqttBroker on Mosquitto, with QoS 2',
    async () => ({
      connect: (clientId) => open(clientId, 2),
      tooLargeBytes: 1_048_577,
      // A kill would lose what Mosquitto has acknowledged and not written yet.
      kill: () => mosquitto.stop(),
      start: () => mosquitto.restart(),
    }),
    { severalMembers: false },
  );

  describe('mqttBroker with QoS 2', () => {
    for (const [qos, wanted] of [
      [1, ['a', 'a', 'b']],
      [2, ['a', 'b']],
    ] as const) {
      test(`with QoS ${qos}, what is in hand while the connection is lost is handled ${qos === 2 ? 'once' : 'again'}`, async (t) => {
        const [topic, group] = [`held/${qos}`, `held-${qos}`];
        const [consumer, publisher] = [open('c', qos), open('p', qos)];
        t.after(() => Promise.all([consumer.close(), publisher.close()]));
        const got: string[] = [];
        const held = Promise.withResolvers<void>();
        const lost = Promise.withResolvers<void>();
        const onProblem = ({ kind }: { readonly kind: string }) => {
          if (kind === 'connection-lost') lost.resolve();
        };
        await consumer.subscribe(topic, { group, onProblem }, async (one) => {
          got.push(textOf(one));
          if (got.length === 1) await held.promise;
        });
        await publisher.publish([message(topic, 'a'), message(topic, 'b')]);
        await reaches(() => got.length, 1);

        await mosquitto.stop();
        await lost.promise;
        held.resolve();
        await mosquitto.restart();
        await reaches(() => got.length, wanted.length);
        await publisher.publish([message(topic, 'last')]).catch(() => {});
        await eventually(
          () => got.at(-1),
          (text) => text === 'last' || got.length > wanted.length,
          'the last comes',
        );

        assert.deepEqual(got, [...wanted, 'last']);
      });
    }

    for (const protocolVersion of [4, 5] as const) {
      test(`MQTT ${protocolVersion}: what a killed process had in hand comes again, with QoS 2 too`, async (t) => {
        const [topic, group] = [`killed/${protocolVersion}`, `killed-${protocolVersion}`];
        const consumer = await dyingConsumer(t, { url, topic, group, protocolVersion });
        const publisher = open('p', 2, protocolVersion);
        t.after(() => publisher.close());
        await publisher.publish([message(topic, 'a'), message(topic, 'b')]);
        assert.equal(await consumer.ended, 'took a');

        const heir = open('h', 2, protocolVersion);
        t.after(() => heir.close());
        const got: string[] = [];
        await heir.subscribe(topic, { group }, async (one) => void got.push(textOf(one)));
        await reaches(() => got.length, 2);
        assert.deepEqual(got, ['a', 'b']);
      });
    }
  });
}

const reaches = (count: () => number, wanted: number) =>
  eventually(count, (now) => now >= wanted, `${wanted} are handled`);

function message(topic: string, id: string): OutgoingMessage {
  return { id, topic, key: undefined, body: Buffer.from(id), headers: {} };
}

interface Dying {
  readonly url: string;
  readonly topic: string;
  readonly group: string;
  readonly protocolVersion: 4 | 5;
}

/** A process of its own that kills itself in the middle of its first message; it has subscribed. */
async function dyingConsumer(t: TestContext, given: Dying) {
  const program = `
    import * as mqtt from 'mqtt';
    import { mqttBroker } from '${new URL('./mqtt-broker.ts', import.meta.url)}';
    const { url, topic, group, protocolVersion } = ${JSON.stringify(given)};
    const broker = mqttBroker({ mqtt, url, clientId: 'dying', qos: 2, protocolVersion });
    await broker.subscribe(topic, { group }, async ({ body }) => {
      process.stdout.write('took ' + Buffer.from(body), () => process.kill(process.pid, 'SIGKILL'));
      await new Promise(() => {});
    });
    process.stdout.write('ready,');
  `;
  const child = spawn(
    process.execPath,
    ['--conditions=source', '--input-type=module', '--eval', program],
    { stdio: ['ignore', 'pipe', 'inherit'], cwd: import.meta.dirname },
  );
  t.after(() => child.kill('SIGKILL'));
  let said = '';
  child.stdout.on('data', (text: Buffer) => {
    said += String(text);
  });
  const ended = new Promise<string>((resolve) => {
    child.on('close', () => resolve(said.replace('ready,', '')));
  });
  await eventually(
    () => said,
    (text) => text.startsWith('ready,'),
    'it has subscribed',
  );
  return { ended };
}
