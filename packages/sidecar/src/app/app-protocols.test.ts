import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import http2 from 'node:http2';
import https from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import path from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { connectNodeAdapter } from '@connectrpc/connect-node';
import { selfSigned, until } from '@holdfast/test-servers';
import { AppCallback, AppCallbackHealthCheck } from '../grpc/protos/appcallback_pb.ts';
import { staticNames } from '../names/static-names.ts';
import { type Sidecar, startSidecar } from '../start-sidecar.ts';
import { temporaryFolder } from '../testing/start-mesh.ts';
import type { AppProtocol } from './app-channel.ts';

describe('the protocols of an application', () => {
  test('https: its certificate is of its own making, and it is called', async (t) => {
    const { certificate, key } = await selfSigned();
    const app = https.createServer({ cert: certificate, key }, (req, res) => {
      res.end(`${req.httpVersion} ${req.url}`);
    });
    const { url } = await sidecarOf(t, await listening(t, app), 'https');
    assert.equal(await (await fetch(`${url}/x?y=1`)).text(), '1.1 /x?y=1');
  });

  test('h2c: HTTP/2 without TLS, bodies both ways', async (t) => {
    const app = http2.createServer((req, res) => {
      const chunks: Buffer[] = [];
      req.on('data', (chunk: Buffer) => chunks.push(chunk));
      req.on('end', () => {
        res.writeHead(201, { 'x-version': req.httpVersion });
        res.end(Buffer.concat(chunks));
      });
    });
    const { url } = await sidecarOf(t, await listening(t, app), 'h2c');
    const body = 'x'.repeat(100_000);
    const answer = await fetch(`${url}/x`, { method: 'POST', body });
    assert.deepEqual(
      [answer.status, answer.headers.get('x-version'), await answer.text()],
      [201, '2.0', body],
    );
  });

  test('grpcs: over TLS, with the token that the application asks for', async (t) => {
    const { certificate, key } = await selfSigned();
    const tokens: (string | null)[] = [];
    const app = http2.createSecureServer(
      { cert: certificate, key },
      connectNodeAdapter({
        connect: false,
        grpcWeb: false,
        routes: (router) =>
          void router.service(AppCallback, {
            onInvoke({ method }, { requestHeader }) {
              tokens.push(requestHeader.get('dapr-api-token'));
              return { data: { value: Buffer.from(method) } };
            },
          }),
      }),
    );
    const { url } = await sidecarOf(t, await listening(t, app), 'grpcs', { appApiToken: 'mine' });
    assert.equal(await (await fetch(`${url}/work`)).text(), 'work');
    assert.deepEqual(tokens, ['mine']);
  });

  test('grpc: it is not called before its health check says that it is well', async (t) => {
    let well = false;
    const app = grpcApp({ healthy: () => well });
    const port = await listening(t, app.server);
    const appHealthCheck = { intervalMs: 20, timeoutMs: 5_000, threshold: 1 };
    const { url } = await sidecarOf(t, port, 'grpc', { appHealthCheck });
    const ill = await fetch(`${url}/work`);
    const words = await ill.text();
    well = true;
    await until('it is called', async () => (await fetch(`${url}/work`)).status === 200);
    assert.deepEqual([ill.status, /app is not in a healthy state/.test(words)], [500, true]);
  });

  test('grpc: bindings that it lists bring it their events', async (t) => {
    const app = grpcApp({ healthy: () => true });
    const port = await listening(t, app.server);
    const resources = await temporaryFolder(t);
    const cron = (name: string) =>
      `---\napiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata: { name: ${name} }\nspec: { type: bindings.cron, version: v1, metadata: [{ name: schedule, value: "@every 1s" }] }\n`;
    await writeFile(path.join(resources, 'cron.yaml'), cron('tick') + cron('tock'));
    await sidecarOf(t, port, 'grpc', { resourcesPaths: [resources] });
    await until('a run of the schedule', () => app.bound.length > 0);
    assert.deepEqual(new Set(app.bound), new Set(['tick']));
  });

  test('grpc: events in bulk, each with a verdict of its own', async (t) => {
    const app = grpcApp({ healthy: () => true });
    const port = await listening(t, app.server);
    const resources = await temporaryFolder(t);
    await writeFile(
      path.join(resources, 'bus.yaml'),
      'apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata: { name: bus }\nspec: { type: pubsub.in-memory, version: v1 }\n',
    );
    const { sidecar } = await sidecarOf(t, port, 'grpc', { resourcesPaths: [resources] });
    const http = `http://127.0.0.1:${sidecar.ports.http}/v1.0`;
    await until('it has subscribed', async () => (await fetch(`${http}/healthz`)).ok);
    for (const n of [1, 2, 3]) {
      await fetch(`${http}/publish/bus/many`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: String(n),
      });
    }
    await until('three events have come', () => app.bulk.length === 3);
    assert.deepEqual(app.bulk.sort(), ['1', '2', '3']);
  });

  test('a protocol that is none is refused before anything listens', async () => {
    await assert.rejects(startSidecar({ appId: 'a', appProtocol: 'tcp' as never }), {
      name: 'RangeError',
      message: 'sidecar.appProtocol must be one of http, https, h2c, grpc, grpcs, not "tcp".',
    });
  });
});

function grpcApp({ healthy }: { readonly healthy: () => boolean }) {
  const bound: string[] = [];
  const bulk: string[] = [];
  const server = http2.createServer(
    connectNodeAdapter({
      connect: false,
      grpcWeb: false,
      routes(router) {
        router.service(AppCallback, {
          onInvoke: () => ({ data: { value: Buffer.from('ok') } }),
          listInputBindings: () => ({ bindings: ['tick'] }),
          onBindingEvent({ name }) {
            bound.push(name);
            return {};
          },
          listTopicSubscriptions: () => ({
            subscriptions: [
              {
                pubsubName: 'bus',
                topic: 'many',
                bulkSubscribe: { enabled: true, maxMessagesCount: 10, maxAwaitDurationMs: 20 },
              },
            ],
          }),
          onBulkTopicEvent({ entries }) {
            for (const { event } of entries) {
              if (event.case === 'cloudEvent') bulk.push(Buffer.from(event.value.data).toString());
            }
            return { statuses: entries.map(({ entryId }) => ({ entryId, status: 0 })) };
          },
        });
        router.service(AppCallbackHealthCheck, {
          healthCheck() {
            if (!healthy()) throw new Error('not yet');
            return {};
          },
        });
      },
    }),
  );
  return { server, bound, bulk };
}

async function listening(t: TestContext, server: Server): Promise<number> {
  const open = new Set<{ destroy(): void }>();
  server.on('connection', (socket) => open.add(socket));
  server.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  t.after(() => {
    server.close();
    for (const socket of open) socket.destroy();
  });
  return (server.address() as AddressInfo).port;
}

async function sidecarOf(
  t: TestContext,
  appPort: number,
  appProtocol: AppProtocol,
  more: object = {},
): Promise<{ sidecar: Sidecar; url: string }> {
  const sidecar = await startSidecar({
    appId: 'one',
    appPort,
    appProtocol,
    httpPort: 0,
    metricsPort: 0,
    names: staticNames({}),
    ...more,
  });
  t.after(() => sidecar.stop({ force: true }));
  return { sidecar, url: `http://127.0.0.1:${sidecar.ports.http}/v1.0/invoke/one/method` };
}
