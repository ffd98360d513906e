import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { startSidecar } from '@holdfast/sidecar';
import { freePort } from '@holdfast/test-servers';
import { sendRaw } from '../../../packages/sidecar/src/testing/raw-http.ts';
import { findDaprd } from '../makes/daprd.ts';
import { startEchoApp } from '../makes/echo-app.ts';
import { ready } from '../makes/one-sidecar.ts';
import { configuration } from '../makes/resources.ts';

const daprd = await findDaprd();
const skip = daprd === undefined && '../shared/peers has no daprd: nothing to compare with';

test('daprd and holdfast share one name file: each finds the other’s sidecar', {
  skip,
}, async (t) => {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'holdfast-names-'));
  const config = path.join(folder, 'config.yaml');
  const resources = path.join(folder, 'resources');
  await mkdir(resources);
  // Listed, so that the built-in retries do not make the test wait.
  await writeFile(
    path.join(resources, 'r.yaml'),
    'apiVersion: dapr.io/v1alpha1\nkind: Resiliency\nmetadata: { name: r }\nspec: { policies: {}, targets: { apps: { ours: {}, theirs: {} } } }\n',
  );
  await writeFile(config, configuration(path.join(folder, 'names.db')));
  const app = await startEchoApp();
  const [http, grpc, internal, metrics] = await Promise.all([1, 2, 3, 4].map(() => freePort()));
  const flags = `--app-id theirs --app-port ${app.port} --dapr-http-port ${http} --dapr-grpc-port ${grpc} --dapr-internal-grpc-port ${internal} --metrics-port ${metrics} --dapr-listen-addresses 127.0.0.1`;
  const child = spawn(
    daprd!,
    [...flags.split(' '), '--config', config, '--resources-path', resources],
    { env: { ...process.env, DAPR_HOST_IP: '127.0.0.1' }, stdio: 'ignore' },
  );
  t.after(async () => {
    child.kill('SIGKILL');
    await app.close();
    await rm(folder, { recursive: true, force: true });
  });
  await ready(http!);
  // daprd made the table; ours must fit into it.
  const ours = await startSidecar({
    appId: 'ours',
    appPort: app.port,
    httpPort: 0,
    metricsPort: 0,
    configPaths: [config],
    resourcesPaths: [resources],
  });
  t.after(() => ours.stop({ force: true }));

  const fromTheirs = await sendRaw(http!, { path: '/v1.0/invoke/ours/method/x' });
  const fromOurs = await sendRaw(ours.ports.http, { path: '/v1.0/invoke/theirs/method/x' });

  // They find each other's address and cannot talk: daprd speaks gRPC with its own kind only.
  for (const { status, body } of [fromTheirs, fromOurs]) {
    assert.equal(status, 500);
    assert.match(body, /code = Unavailable/);
    assert.doesNotMatch(body, /no host found/);
  }
});
