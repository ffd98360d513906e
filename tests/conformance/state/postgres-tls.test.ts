import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { postgresServer, Unavailable } from '@holdfast/test-servers';
import { setupFailure } from '../makes/app-mesh.ts';
import { bothMakes } from '../makes/both-makes.ts';
import { ownAuthority } from '../makes/own-authority.ts';

const ours = await ownAuthority();
const others = await ownAuthority();
// It takes nobody without TLS, so that who gets in has spoken it.
const server = await postgresServer({ tls: await ours.issue('localhost') });
if (server instanceof Unavailable) {
  if (process.env.CI === 'true') throw new Error(server.why);
  test('PostgreSQL over TLS', { skip: server.why }, () => {});
} else {
  const { port, process: running } = server;
  const folder = await mkdtemp(path.join(tmpdir(), 'holdfast-postgres-tls-'));
  const [root, wrong] = [path.join(folder, 'root.pem'), path.join(folder, 'wrong.pem')];
  await writeFile(root, ours.certificate);
  await writeFile(wrong, others.certificate);
  after(async () => {
    await running.remove();
    await rm(folder, { recursive: true, force: true });
  });
  const cases = [
    ['require', 'localhost', undefined, true],
    ['require', 'localhost', root, true],
    ['require', 'localhost', wrong, false],
    ['verify-ca', '127.0.0.1', root, true],
    ['verify-ca', '127.0.0.1', wrong, false],
    ['verify-full', 'localhost', root, true],
    ['verify-full', '127.0.0.1', root, false],
    ['verify-full', 'localhost', undefined, false],
    ['prefer', 'localhost', undefined, true],
    ['disable', '127.0.0.1', undefined, false],
  ] as const;

  await bothMakes((make, executable) => {
    describe(`${make}, PostgreSQL over TLS`, () => {
      for (const [mode, host, file, starts] of cases) {
        const roots = file === undefined ? 'no root' : path.basename(file);
        test(`sslmode=${mode} at ${host} with ${roots} ${starts ? 'is' : 'is not'} a connection`, async () => {
          const items = [`host=${host} port=${port} user=postgres database=postgres`];
          items.push(`sslmode=${mode} connect_timeout=5`);
          if (file !== undefined) items.push(`sslrootcert=${file}`);
          const failure = await setupFailure(executable, {
            resources: { 'store.yaml': component(items.join(' ')) },
          });
          assert.equal(failure === undefined, starts, failure);
        });
      }
    });
  });
}

function component(connectionString: string): string {
  const metadata = [
    { name: 'connectionString', value: connectionString },
    { name: 'timeout', value: '10s' },
  ];
  return `
apiVersion: dapr.io/v1alpha1
kind: Component
metadata: { name: store }
spec: { type: state.postgresql, version: v2, metadata: ${JSON.stringify(metadata)} }
`;
}
