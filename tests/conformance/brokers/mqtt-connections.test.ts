import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import {
  freePort,
  type MosquittoServer,
  mosquittoServer,
  selfSigned,
  suiteWith,
  until,
} from '@holdfast/test-servers';
import {
  type TcpProxy,
  tcpProxy,
} from '../../../packages/messaging/src/testing/servers/tcp-proxy.ts';
import { type AppMesh, setupFailure, startAppMesh } from '../makes/app-mesh.ts';
import { bothMakes, type Make } from '../makes/both-makes.ts';
import { componentYaml } from '../makes/component-yaml.ts';
import { subscriberApp } from './subscriber-app.ts';

/** Metadata of a component, and what its connection for what it subscribes to says. */
const NAMES: readonly (readonly [Readonly<Record<string, string>>, RegExp])[] = [
  [{}, /^caller clean=false$/],
  [{ consumerID: 'mine' }, /^mine clean=false$/],
  [{ consumerID: 'of {appID} one' }, /^of caller one clean=false$/],
  [{ consumerID: 'in-{namespace}' }, /^in-default\.caller clean=false$/],
  [{ consumerID: 'u-{uuid}' }, /^u-[\da-f]{8}-[\da-f-]{27} clean=false$/],
  [{ consumerID: 'clean', cleanSession: 'true' }, /^clean clean=true$/],
];

/** The type of MQTT's first packet. */
const CONNECT = 0x10;

const own = await selfSigned();
const folder = await mkdtemp(path.join(tmpdir(), 'holdfast-mqtt-tls-'));
after(() => rm(folder, { recursive: true, force: true }));
const [certfile, keyfile] = [path.join(folder, 'cert.pem'), path.join(folder, 'key.pem')];
await Promise.all([writeFile(certfile, own.certificate), writeFile(keyfile, own.key)]);
const [open, strict] = [await freePort(), await freePort()];
const tls = (port: number) => [
  ...[`listener ${port} 127.0.0.1`, `cafile ${certfile}`],
  ...[`certfile ${certfile}`, `keyfile ${keyfile}`],
];
const lines = [...tls(open), ...tls(strict), 'require_certificate true'];

await suiteWith(
  'pubsub.mqtt3, connections',
  () => mosquittoServer(lines),
  async (server) => {
    await bothMakes((make, executable) => {
      names(make, executable, server);
      security(make, executable);
    });
  },
);

/** The broker knows a consumer by the name of its session. */
function names(make: Make, executable: string | undefined, { port }: MosquittoServer): void {
  describe(`${make}, pubsub.mqtt3, names of sessions`, () => {
    const app = subscriberApp(NAMES.map((_, n) => ({ pubsub: `broker${n}`, topic: `of-${n}` })));
    const said: string[] = [];
    let mesh: AppMesh<'caller'>;
    let proxy: TcpProxy;
    before(async () => {
      proxy = await tcpProxy(port);
      // It only listens.
      void proxy.cutOnce((piece) => {
        if (piece[0] === CONNECT) said.push(connectionOf(piece));
        return false;
      }, 'unanswered');
      const url = `tcp://127.0.0.1:${proxy.port}`;
      const files = NAMES.map(([more], n) => [
        `mqtt${n}.yaml`,
        componentYaml(`broker${n}`, 'pubsub.mqtt3', { url, ...more }),
      ]);
      mesh = await startAppMesh(executable, {
        caller: { appPort: await app.start(), resources: Object.fromEntries(files) },
      });
      await mesh.healthy('caller');
    });
    after(async () => {
      await mesh?.stop();
      await proxy?.close();
      await app.close();
    });

    for (const [metadata, wanted] of NAMES) {
      test(`${JSON.stringify(metadata)}`, () =>
        until(
          () => `${wanted} is among ${said.join(', ')}`,
          () => said.some((one) => wanted.test(one)),
        ));
    }
  });
}

/** Its client's name, and whether its session is to be clean, of a CONNECT of MQTT 3.1.1 shorter than 128 bytes. */
function connectionOf(packet: Buffer): string {
  const length = packet.readUInt16BE(12);
  return `${packet.subarray(14, 14 + length)} clean=${(packet[9]! & 2) !== 0}`;
}

/** Who is let in over TLS. */
function security(make: Make, executable: string | undefined): void {
  const pair = { clientCert: own.certificate, clientKey: own.key };
  const ca = { caCert: own.certificate };
  const rows: readonly (readonly [string, Readonly<Record<string, string>>, boolean])[] = [
    ['its authority is known', { url: `ssl://127.0.0.1:${open}`, ...ca }, true],
    ['schemes are many', { url: `mqtts://localhost:${open}`, ...ca }, true],
    ['a certificate is shown', { url: `tls://127.0.0.1:${strict}`, ...ca, ...pair }, true],
    ['nobody knows its authority', { url: `ssl://127.0.0.1:${open}` }, false],
    ['no certificate is shown', { url: `ssl://127.0.0.1:${strict}`, ...ca }, false],
  ];
  describe(`${make}, pubsub.mqtt3 over TLS`, () => {
    for (const [title, metadata, starts] of rows) {
      test(`${title}: ${starts ? 'it starts' : 'it does not'}`, async () => {
        const resources = { 'mqtt.yaml': componentYaml('it', 'pubsub.mqtt3', metadata) };
        const failure = await setupFailure(executable, { resources });
        assert.equal(failure === undefined, starts, failure);
        if (failure === undefined) return;
        // daprd says of each of these that its time was over.
        assert.match(failure, make === 'daprd' ? /deadline exceeded/ : /certificate/);
      });
    }
  });
}
