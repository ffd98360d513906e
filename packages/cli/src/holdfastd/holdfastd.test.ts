import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { redisServer, until, withServer } from '@holdfast/test-servers';
import { type Command, living, watched } from '../testing/run-bench.ts';
import { holdfastdReference } from './reference.ts';

const BIN = fileURLToPath(new URL('../../bin/holdfastd.mjs', import.meta.url));
const ANY_GRPC = ['--dapr-grpc-port', '0'];
const ANY_PORTS = ['--dapr-http-port', '0', ...ANY_GRPC, '--metrics-port', '0'];

describe('holdfastd', () => {
  test('answers --version, and a flag nobody knows with status 2 and the nearest', async (t) => {
    const asked = await start(t, ['--version']).done;
    const wrong = await start(t, ['--app-idd', 'x']).done;
    const nameless = await start(t, []).done;
    assert.match(asked.out, /^\d+\.\d+\.\d+\n$/);
    assert.deepEqual(
      [asked.status, wrong, nameless],
      [
        0,
        {
          status: 2,
          signal: null,
          out: '',
          err: 'holdfastd: Unknown flag --app-idd; did you mean --app-id?\n',
        },
        {
          status: 2,
          signal: null,
          out: '',
          err: 'holdfastd: --app-id is missing; give the name other apps call this one by.\n',
        },
      ],
    );
  });

  test('keeps its pid from the launcher on, reads again on SIGHUP, ends with 0 on SIGTERM', async (t) => {
    const resources = await folder(t);
    const daemon = start(t, ['-app-id', 'a', ...ANY_PORTS, '-resources-path', resources]);
    await until('it is up', () => daemon.output().includes('is up'));
    const [, http] = /http=(\d+)/.exec(daemon.output())!;
    const healthy = await fetch(`http://127.0.0.1:${http}/v1.0/healthz/outbound`);
    assert.equal(healthy.status, 204);

    await writeFile(join(resources, 'broken.yaml'), 'kind: Resiliency\nspec: [');
    daemon.kill('SIGHUP');
    await until('it says what is broken', () => daemon.output().includes('broken.yaml'));
    daemon.kill('SIGTERM');
    assert.equal((await daemon.done).status, 0);
  });

  test('keeps state in Redis', async (t) => {
    const redis = await withServer(t, redisServer);
    if (redis === undefined) return;
    const resources = await folder(t);
    await writeFile(
      join(resources, 'kept.yaml'),
      `apiVersion: dapr.io/v1alpha1
kind: Component
metadata: { name: kept }
spec:
  type: state.redis
  version: v1
  metadata: [{ name: redisHost, value: "127.0.0.1:${redis.port}" }]
`,
    );
    const daemon = start(t, ['--app-id', 'a', ...ANY_PORTS, '--resources-path', resources]);
    await until('it is up', () => daemon.output().includes('is up'));
    const [, http] = /http=(\d+)/.exec(daemon.output())!;
    const url = `http://127.0.0.1:${http}/v1.0/state/kept`;

    const saved = await fetch(url, { method: 'POST', body: '[{"key":"k","value":7}]' });
    const read = await fetch(`${url}/k`);
    assert.deepEqual([saved.status, await read.text()], [204, '7']);
  });

  test('a second signal ends it while a call is still under way', async (t) => {
    // An app that never answers: without the second signal its call would be waited for.
    const app = createServer(() => {}).listen(0, '127.0.0.1');
    t.after(() => app.close());
    await until('the app listens', () => app.listening);
    const { port } = app.address() as { readonly port: number };
    const args = ['--app-id', 'a', '--app-port', String(port), ...ANY_PORTS];
    const daemon = start(t, [...args, '--dapr-graceful-shutdown-seconds', '60']);
    await until('it is up', () => daemon.output().includes('is up'));
    const [, http] = /http=(\d+)/.exec(daemon.output())!;
    const call = fetch(`http://127.0.0.1:${http}/v1.0/invoke/a/method/x`).catch(() => 'cut off');
    let connections = 0;
    app.on('connection', () => {
      connections += 1;
    });
    await until('the app is called', () => connections > 0);
    daemon.kill('SIGINT');
    await until('it ends', () => daemon.output().includes('SIGINT: ending'));
    daemon.kill('SIGINT');
    // Half of the minute it would have waited otherwise.
    await until('it has ended', () => living([daemon.pid]).length === 0);
    assert.equal(await call, 'cut off');
  });

  test('does not start where its lines could go nowhere', async (t) => {
    const dir = await folder(t);
    const { status, err } = await start(t, [...ANY_PORTS, '--app-id', 'a', '--log-file', dir]).done;
    const rule = 'must be a file that this user may write, in a folder that is there';
    assert.deepEqual([status, err], [2, `holdfastd: --log-file ${rule}, not "${dir}" (EISDIR).\n`]);
  });

  test('names a port that is taken, who asks for it and the flag, with status 1', async (t) => {
    const holder = createServer().listen(0, '127.0.0.1');
    t.after(() => holder.close());
    await until('the port is taken', () => holder.listening);
    const { port } = holder.address() as { readonly port: number };
    const http = ['--dapr-http-port', String(port)];
    const line = ['--app-id', 'a', ...http, ...ANY_GRPC, '--metrics-port', '0'];
    const { status, out } = await start(t, line).done;
    const message = `Port ${port} is taken, and the sidecar of \\"a\\" asks for it; end the program that listens on it, or choose another with --dapr-http-port.`;
    assert.deepEqual([status, out.includes(message)], [1, true], out);
  });

  test('--wait ends with 0 as soon as a sidecar can call out', async (t) => {
    const probe = createServer().listen(0, '127.0.0.1');
    await until('a port is known', () => probe.listening);
    const { port } = probe.address() as { readonly port: number };
    await new Promise((resolve) => probe.close(resolve));
    const waiting = start(t, ['--wait', '--dapr-http-port', String(port)]);
    const http = ['--dapr-http-port', String(port)];
    start(t, ['--app-id', 'a', ...http, ...ANY_GRPC, '--metrics-port', '0']);
    assert.equal((await waiting.done).status, 0);
  });
});

test('the reference is what the table of flags makes of it', () => {
  const file = new URL('../../../../docs/reference/holdfastd.md', import.meta.url);
  const remedy = 'run node --conditions=source packages/cli/src/holdfastd/write-reference-main.ts';
  assert.equal(readFileSync(file, 'utf8'), holdfastdReference(), remedy);
});

async function folder(t: TestContext): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'holdfastd-'));
  t.after(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

function start(t: TestContext, args: readonly string[]): Command {
  const daemon = watched(spawn(process.execPath, [BIN, ...args]));
  t.after(async () => {
    daemon.kill('SIGKILL');
    await daemon.done;
  });
  return daemon;
}
