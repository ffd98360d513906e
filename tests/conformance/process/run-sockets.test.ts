import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { freePort, until } from '@holdfast/test-servers';
import { startRun } from '../../../packages/cli/src/index.ts';
import { bothMakes, type Make } from '../makes/both-makes.ts';

/** Tells what it was told of its sidecar. */
const APP = `
const { DAPR_HTTP_PORT, DAPR_GRPC_PORT, DAPR_METRICS_PORT } = process.env;
const told = JSON.stringify({ DAPR_HTTP_PORT, DAPR_GRPC_PORT, metrics: Number(DAPR_METRICS_PORT) > 0 });
require('node:http').createServer((req, res) => res.end(told)).listen(process.env.APP_PORT, '127.0.0.1');
`;

await bothMakes(conformance);

function conformance(make: Make, executable: string | undefined): void {
  test(`${make} is run with its API on sockets, killed, and started again beside what it left`, async (t) => {
    const { dir, run } = await runOnSockets(t, executable);
    const socket = path.join(dir, 'sockets', 'dapr-shop-http.socket');

    const invoked = await ask(socket, '/v1.0/invoke/shop/method/any');
    const metadata = async () =>
      (JSON.parse((await ask(socket, '/v1.0/metadata')).body) as { extended: object }).extended;
    await until('the sidecar knows its app', async () => 'appPID' in (await metadata()));
    const ports = run.ps().find(({ name }) => name === 'shop-sidecar')!.ports;

    await run.kill('shop-sidecar');
    const left = existsSync(socket);
    await run.start('shop-sidecar');
    const again = await ask(socket, '/v1.0/invoke/shop/method/any');

    assert.deepEqual(
      [invoked.status, JSON.parse(invoked.body), Object.keys(ports).sort(), left, again.status],
      [200, { metrics: true }, ['internal', 'metrics'], true, 200],
    );
  });
}

async function runOnSockets(t: TestContext, executable: string | undefined) {
  // A socket's address has room for 107 bytes.
  const dir = await realpath(await mkdtemp(path.join(os.tmpdir(), 'hf-')));
  await mkdir(path.join(dir, 'sockets'));
  await writeFile(path.join(dir, 'app.cjs'), APP);
  if (executable !== undefined) await symlink(executable, path.join(dir, 'daprd'));
  const said: string[] = [];
  const app = {
    appDirPath: dir,
    appID: 'shop',
    appPort: await freePort(),
    command: [process.execPath, 'app.cjs'],
    unixDomainSocket: 'sockets',
    daprdLogDestination: 'console',
    ...(executable === undefined ? {} : { runtimePath: dir }),
  } as const;
  const run = await startRun(
    {
      dir,
      version: 1,
      name: 'shop',
      common: {},
      apps: [app],
      holdfast: { processes: [] },
    },
    {
      stateDir: path.join(dir, 'state'),
      onLine: (name, line) => void said.push(`${name}: ${line}`),
    },
  ).catch((error: unknown) => {
    throw new Error(said.join('\n'), { cause: error });
  });
  t.after(async () => {
    await run.stop({ force: true });
    await rm(dir, { recursive: true, force: true });
  });
  return { dir, run };
}

function ask(socketPath: string, url: string): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const request = http.get({ socketPath, path: url, agent: false }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text: string) => {
        body += text;
      });
      response.on('end', () => resolve({ status: response.statusCode!, body }));
    });
    request.on('error', reject);
  });
}
