import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import http from 'node:http';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { startSidecar } from '../../index.ts';
import { sharedNames } from '../../testing/shared-names.ts';
import { listenOnSocket } from './listen-socket.ts';

test('a socket that a killed process left is replaced; a live one and a file are left alone', async (t) => {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'hf-'));
  t.after(() => rm(folder, { recursive: true }));
  const [stale, file, absent] = ['stale', 'file', 'no/such'].map((name) => path.join(folder, name));
  const leave = `require('net').createServer().listen(${JSON.stringify(stale)}, () => process.kill(process.pid, 'SIGKILL'))`;
  assert.throws(() => execFileSync(process.execPath, ['-e', leave], { stdio: 'ignore' }));
  assert.ok(existsSync(stale!));
  await writeFile(file!, 'precious');
  const server = net.createServer();
  t.after(() => server.close());
  await listenOnSocket(server, stale!);

  const refused = await Promise.all(
    [stale, file, absent].map((one) =>
      listenOnSocket(net.createServer(), one!).catch((error: Error) => error.message),
    ),
  );

  const why = ['another process listens on it', 'a file of that name is no socket'];
  assert.deepEqual(
    refused,
    [stale, file, absent].map(
      (one, at) =>
        `The Unix socket ${one} cannot be had: ${why[at] ?? 'its folder is not there'}; give --unix-domain-socket another folder.`,
    ),
  );
  await new Promise((resolve) => server.close(resolve));
  assert.deepEqual([existsSync(stale!), existsSync(file!)], [false, true]);
});

test('a sidecar on sockets has no port for its API, and takes them away', async (t) => {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'hf-'));
  t.after(() => rm(folder, { recursive: true }));
  const options = { appId: 'one', grpcPort: 0, metricsPort: 0, unixDomainSocket: folder };
  const sidecar = await startSidecar({ ...options, names: sharedNames()() });
  const { sockets } = sidecar;

  const status = await new Promise((resolve, reject) => {
    const to = { socketPath: sockets!.http, path: '/v1.0/healthz' };
    http.get(to, (answer) => resolve(answer.resume().statusCode)).on('error', reject);
  });
  const there = [sockets!.http, sockets!.grpc!].map((one) => existsSync(one));
  await sidecar.stop();

  assert.deepEqual(
    [status, there, sidecar.ports.http, existsSync(sockets!.http), existsSync(sockets!.grpc!)],
    [204, [true, true], 0, false, false],
  );
});

test('a folder that is too deep for a socket is refused with the numbers', async () => {
  const unixDomainSocket = `/${'x'.repeat(120)}`;
  await assert.rejects(startSidecar({ appId: 'one', unixDomainSocket }), {
    name: 'RangeError',
    message:
      /^sidecar.unixDomainSocket must be a folder in which .* has at most 10[37] bytes, not 142/,
  });
});
