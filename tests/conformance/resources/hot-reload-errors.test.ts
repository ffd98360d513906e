import assert from 'node:assert/strict';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { until } from '@holdfast/test-servers';
import { bothMakes, type Make } from '../makes/both-makes.ts';
import { startFlagged } from '../makes/flagged.ts';

const component = (name: string, type: string) => `
apiVersion: dapr.io/v1alpha1
kind: Component
metadata: { name: ${name} }
spec: { type: ${type}, version: v1 }
`;

const CONFIGURATION = `
apiVersion: dapr.io/v1alpha1
kind: Configuration
metadata: { name: c }
spec: { appHttpPipeline: { handlers: [{ name: up, type: middleware.http.uppercase }] } }
`;

await bothMakes(conformance);

/** Files that are wrong while both makes run, and middleware whose file goes. */
function conformance(make: Make, executable: string | undefined): void {
  describe(`${make}, changed files that cannot be used`, () => {
    // On purpose otherwise: a slip of the pen in a file ends no calls. It waits for its correction.
    for (const [what, files, said] of [
      [
        'a component that cannot be used',
        { 'a.yaml': component('a', 'state.sqlite') },
        /component a \(state\.sqlite\) cannot be used: .*; it stays as it was/,
      ],
      [
        'two components of one name',
        { 'b.yaml': component('a', 'pubsub.in-memory') },
        /duplicate definition of Component name a \(pubsub\.in-memory\/v1\) with existing a \(state\.in-memory\/v1\)/,
      ],
    ] as const) {
      test(`${what}: daprd ends, ours goes on as it was`, async (t) => {
        const { sidecar, write } = await start(t, executable, {});
        for (const [name, text] of Object.entries(files)) await write(name, text);
        if (make === 'daprd') {
          assert.deepEqual(await sidecar.exited, [1, null]);
          return;
        }
        await until('it is told', () => said.test(sidecar.said()));
        const url = `http://127.0.0.1:${sidecar.ports.http}/v1.0/state/a`;
        const answer = await fetch(url, { method: 'POST', body: '[{"key":"k","value":1}]' });
        assert.equal(answer.status, 204);
      });
    }

    test('middleware that only changes what passes goes with its file', async (t) => {
      const { folder, sidecar, write } = await start(t, executable, { app: true });
      const shout = async () => {
        const url = `http://127.0.0.1:${sidecar.ports.http}/v1.0/invoke/probe/method/m`;
        return await (await fetch(url, { method: 'POST', body: 'hello' })).text();
      };
      await write('up.yaml', component('up', 'middleware.http.uppercase'));
      await until('it is there', async () => (await shout()) === 'HELLO');
      await rm(path.join(folder, 'up.yaml'));
      await until('it is gone', async () => (await shout()) === 'hello');
    });
  });
}

/** With a state store `a`; where nothing else is said, and a pipeline of one handler whose component is not there yet. */
async function start(
  t: TestContext,
  executable: string | undefined,
  { app = false }: { readonly app?: boolean },
) {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'holdfast-hot-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const write = async (name: string, text: string) => {
    await writeFile(path.join(folder, '.new'), text);
    await rename(path.join(folder, '.new'), path.join(folder, name));
  };
  await write('a.yaml', component('a', 'state.in-memory'));
  const config = path.join(folder, 'config.conf');
  await writeFile(config, CONFIGURATION);
  const flags = {
    config,
    'resources-path': folder,
    ...(app ? { 'app-port': await echo(t) } : {}),
  };
  const sidecar = await startFlagged(executable, { flags });
  t.after(() => sidecar.stop());
  return { folder, sidecar, write };
}

async function echo(t: TestContext): Promise<number> {
  const server = http.createServer((req, res) => void req.pipe(res));
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}
