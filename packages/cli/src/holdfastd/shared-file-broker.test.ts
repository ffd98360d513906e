import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { until } from '@holdfast/test-servers';

const BIN = fileURLToPath(new URL('../../bin/holdfastd.mjs', import.meta.url));

test('two holdfastd share a pubsub.sqlite file; what a killed one had in hand, and what follows, is the other’s', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-shared-file-'));
  t.after(() => rm(folder, { recursive: true, force: true, maxRetries: 3 }));
  await writeFile(join(folder, 'broker.yaml'), COMPONENT(join(folder, 'broker.db')));
  const doomed = await startMember(t, folder, () => new Promise(() => {}));
  const arrived: string[] = [];
  await publish(doomed.url, ['0']);
  await until('the doomed has it in hand', () => doomed.arrived.length === 1);
  const survivor = await startMember(t, folder, async (id) => void arrived.push(id));
  await publish(doomed.url, ['1', '2']);
  await publish(survivor.url, ['3']);

  doomed.child.kill('SIGKILL');
  await until('all is the survivor’s', () => arrived.length >= 4);

  assert.deepEqual(arrived, ['0', '1', '2', '3']);
  assert.deepEqual(doomed.arrived, ['0']);
});

test('an event that the application fails over goes to the dead letter topic of the same file', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-shared-file-'));
  t.after(() => rm(folder, { recursive: true, force: true, maxRetries: 3 }));
  await writeFile(join(folder, 'broker.yaml'), COMPONENT(join(folder, 'broker.db')));
  const member = await startMember(t, folder, async (id, path) => {
    if (path === '/on-orders' && id === 'bad') throw new Error('never');
  });
  await publish(member.url, ['bad', 'good']);
  await until('both have come', () => member.arrived.includes('good'));
  await until('the bad is a dead letter', () => member.buried.length === 1);

  assert.deepEqual(member.buried, ['bad']);
});

const COMPONENT = (path: string) => `
apiVersion: dapr.io/v1alpha1
kind: Component
metadata: { name: broker }
spec:
  type: pubsub.sqlite
  version: v1
  metadata:
    - { name: connectionString, value: ${JSON.stringify(path)} }
    - { name: concurrency, value: "1" }
    - { name: leaseDuration, value: 1s }
`;

/** An application and its sidecar, both of app id `orders`; `take` decides what becomes of an event. */
async function startMember(
  t: TestContext,
  resources: string,
  take: (id: string, path: string) => Promise<void>,
): Promise<{
  readonly url: string;
  readonly child: ChildProcess;
  readonly arrived: readonly string[];
  readonly buried: readonly string[];
}> {
  const arrived: string[] = [];
  const buried: string[] = [];
  const app = createServer(async (request, response) => {
    if (request.url === '/dapr/subscribe') {
      response.setHeader('content-type', 'application/json').end(JSON.stringify(SUBSCRIPTIONS));
      return;
    }
    let body = '';
    for await (const chunk of request) body += chunk;
    if (request.url !== '/on-orders' && request.url !== '/on-dead') {
      response.writeHead(404).end();
      return;
    }
    const id = String(JSON.parse(body).data);
    (request.url === '/on-dead' ? buried : arrived).push(id);
    await take(id, request.url).then(
      () => response.end(),
      () => response.writeHead(500).end(),
    );
  }).listen(0, '127.0.0.1');
  await once(app, 'listening');
  t.after(() => {
    app.closeAllConnections();
    app.close();
  });
  const appPort = String((app.address() as AddressInfo).port);
  const ports = ['--dapr-http-port', '0', '--dapr-grpc-port', '0', '--metrics-port', '0'];
  const args = ['--app-id', 'orders', '--app-port', appPort, ...ports];
  const child = spawn(process.execPath, [BIN, ...args, '--resources-path', resources], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  t.after(() => child.kill('SIGKILL'));
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (text: Buffer) => {
      output += String(text);
    });
  }
  await until('it is up', () => output.includes('is up'));
  const url = `http://127.0.0.1:${/http=(\d+)/.exec(output)?.[1]}`;
  let healthy = false;
  await until('it has subscribed', () => {
    void fetch(`${url}/v1.0/healthz`).then(({ ok }) => {
      healthy ||= ok;
    });
    return healthy;
  });
  return { url, child, arrived, buried };
}

const SUBSCRIPTIONS = [
  { pubsubname: 'broker', topic: 'orders', route: '/on-orders', deadLetterTopic: 'dead' },
  { pubsubname: 'broker', topic: 'dead', route: '/on-dead' },
];

async function publish(url: string, ids: readonly string[]): Promise<void> {
  for (const id of ids) {
    const answer = await fetch(`${url}/v1.0/publish/broker/orders`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(id),
    });
    assert.equal(answer.status, 204, await answer.text());
  }
}
