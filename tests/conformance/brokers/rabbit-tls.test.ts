import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { freePort, rabbitServer, suiteWith, until } from '@holdfast/test-servers';
import { setupFailure, startAppMesh } from '../makes/app-mesh.ts';
import { bothMakes, type Make } from '../makes/both-makes.ts';
import { componentYaml } from '../makes/component-yaml.ts';
import { ownAuthority } from '../makes/own-authority.ts';
import { subscriberApp } from './subscriber-app.ts';

const authority = await ownAuthority();
const [server, client, unnamed, stranger] = await Promise.all([
  authority.issue('localhost'),
  authority.issue('client'),
  authority.issue('nobody'),
  (await ownAuthority()).issue('client'),
]);
const folder = await mkdtemp(path.join(tmpdir(), 'holdfast-rabbit-tls-'));
after(() => rm(folder, { recursive: true, force: true }));
const file = (name: string) => path.join(folder, name);
// Named as its certificate says.
const permissions = { vhost: '/', configure: '.*', write: '.*', read: '.*' };
const definitions = {
  users: [{ name: 'client', password_hash: '', tags: '' }],
  vhosts: [{ name: '/' }],
  permissions: [{ user: 'client', ...permissions }],
};
await Promise.all([
  writeFile(file('ca.pem'), authority.certificate),
  writeFile(file('cert.pem'), server.certificate),
  writeFile(file('key.pem'), server.key),
  writeFile(file('users.json'), JSON.stringify(definitions)),
]);
const port = await freePort();

await suiteWith(
  'pubsub.rabbitmq over TLS',
  () =>
    rabbitServer(undefined, {
      plugins: ['rabbitmq_auth_mechanism_ssl'],
      lines: [
        ...[`listeners.ssl.1 = 127.0.0.1:${port}`, `load_definitions = ${file('users.json')}`],
        ...[
          `ssl_options.cacertfile = ${file('ca.pem')}`,
          `ssl_options.certfile = ${file('cert.pem')}`,
        ],
        ...[`ssl_options.keyfile = ${file('key.pem')}`, 'ssl_options.verify = verify_peer'],
        ...['ssl_options.fail_if_no_peer_cert = true', 'ssl_cert_login_from = common_name'],
        ...['auth_mechanisms.1 = PLAIN', 'auth_mechanisms.2 = EXTERNAL'],
      ],
    }),
  () => bothMakes(conformance),
);

/** Who signs in by a certificate, as Dapr's certification has it. */
function conformance(make: Make, executable: string | undefined): void {
  const component = (metadata: Readonly<Record<string, string>>) => ({
    'rabbit.yaml': componentYaml('broker', 'pubsub.rabbitmq', {
      connectionString: `amqps://localhost:${port}`,
      ...metadata,
    }),
  });
  const shown = ({ certificate, key }: typeof client) => ({
    ...{ clientCert: certificate, clientKey: key },
  });
  const caCert = authority.certificate;
  const pair = shown(client);
  const external = { caCert, ...pair, saslExternal: 'true' };
  // Where daprd writes before it has read why, it hears of the end of the connection alone.
  const why = (what: string) =>
    new RegExp(make === 'daprd' ? `${what}|reset by peer|broken pipe|EOF` : what);
  /** Metadata, and why it does not start with them. */
  const refused: Readonly<Record<string, readonly [Readonly<Record<string, string>>, RegExp]>> = {
    'nobody knows its authority': [pair, /certificate/],
    'no certificate is shown': [{ caCert }, why('certificate required')],
    'a certificate of a stranger': [{ ...external, ...shown(stranger) }, why('tls|TLS')],
    'a name that is no user': [{ ...external, ...shown(unnamed) }, /403/],
    'a certificate alone': [{ caCert, ...pair }, /403/],
    'saslExternal without a certificate': [{ saslExternal: 'true', caCert }, /saslExternal/],
    'saslExternal without an authority': [{ saslExternal: 'true', ...pair }, /saslExternal/],
  };
  describe(`${make}, pubsub.rabbitmq over TLS`, () => {
    test('a certificate is who somebody is', async (t) => {
      const app = subscriberApp([{ topic: `secure-${make}` }]);
      const appPort = await app.start();
      t.after(() => app.close());
      const mesh = await startAppMesh(executable, {
        caller: { appPort, resources: component(external) },
      });
      t.after(() => mesh.stop());
      const url = `http://127.0.0.1:${mesh.port('caller')}/v1.0/publish/broker/secure-${make}`;
      await mesh.healthy('caller');
      assert.equal((await fetch(url, { method: 'POST', body: 'it' })).status, 204);
      await until('it has come', () => app.texts(`secure-${make}`).has('it'));
    });

    for (const [title, [metadata, why]] of Object.entries(refused)) {
      test(`${title}: it does not start`, async () => {
        const failure = await setupFailure(executable, { resources: component(metadata) });
        assert.match(failure ?? 'it started', why);
      });
    }
  });
}
