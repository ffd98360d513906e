import assert from 'node:assert/strict';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { sendRaw } from '../../../packages/sidecar/src/testing/raw-http.ts';
import { bothMakes, type Make } from '../makes/both-makes.ts';
import { startFlagged } from '../makes/flagged.ts';
import { daprClient } from '../makes/grpc-client.ts';

await bothMakes(conformance);

/** How both makes end, and the lines by which operators know it. */
function conformance(make: Make, executable: string | undefined): void {
  describe(`${make}, ending`, () => {
    test('by a signal, with nothing under way: status 0', async (t) => {
      const sidecar = await startFlagged(executable, { flags: {} });
      t.after(() => sidecar.stop());
      sidecar.child.kill('SIGTERM');
      assert.deepEqual(await sidecar.exited, [0, null]);
      assert.match(sidecar.said(), /Daprd shutdown gracefully/);
    });

    test('what is under way when the grace is over is cut off: status 1', async (t) => {
      const app = await silentApp(t);
      const flags = { 'app-port': app.port, 'dapr-graceful-shutdown-seconds': 1 };
      const sidecar = await startFlagged(executable, { flags });
      t.after(() => sidecar.stop());
      const url = `http://127.0.0.1:${sidecar.ports.http}/v1.0/invoke/probe/method/m`;
      const call = fetch(url).then(
        ({ status }) => status,
        () => 'cut off',
      );
      await app.called;
      sidecar.child.kill('SIGTERM');
      assert.deepEqual([await sidecar.exited, await call], [[1, null], 'cut off']);
      assert.match(sidecar.said(), /Graceful shutdown timeout exceeded, forcing shutdown/);
    });

    test('a client that waits for events in a stream keeps it from nothing', async (t) => {
      const sidecar = await startFlagged(executable, { flags: {}, resources: { 'b.yaml': BUS } });
      t.after(() => sidecar.stop());
      const client = daprClient(sidecar.ports.grpc);
      const events = client.subscribeTopicEventsAlpha1(initial())[Symbol.asyncIterator]();
      await events.next();
      sidecar.child.kill('SIGTERM');
      assert.deepEqual(await sidecar.exited, [0, null]);
      await events.next().catch(() => {});
    });

    test('it lingers, and says until when', async (t) => {
      const flags = { 'dapr-block-shutdown-duration': '1s' };
      const sidecar = await startFlagged(executable, { flags });
      t.after(() => sidecar.stop());
      sidecar.child.kill('SIGTERM');
      assert.deepEqual(await sidecar.exited, [0, null]);
      assert.match(
        sidecar.said(),
        /Blocking graceful shutdown for 1s or until app reports unhealthy\.\.\.[\s\S]*Block shutdown period expired, entering shutdown\.\.\./,
      );
    });

    const forced = { skip: make === 'daprd' && 'daprd has the header since 1.18.1' };
    test('by the API, forced: answered, and status 1', forced, async (t) => {
      const sidecar = await startFlagged(executable, { flags: {} });
      t.after(() => sidecar.stop());
      const headers = ['dapr-force-shutdown: True'];
      const path = '/v1.0/shutdown';
      const answer = await sendRaw(sidecar.ports.http, { method: 'POST', path, headers });
      assert.deepEqual([answer.status, await sidecar.exited], [204, [1, null]]);
      assert.match(sidecar.said(), /Force shutdown requested, exiting immediately/);
    });
  });
}

async function* initial() {
  const value = { pubsubName: 'bus', topic: 't' };
  yield { subscribeTopicEventsRequestType: { case: 'initialRequest' as const, value } };
  await new Promise(() => {});
}

const BUS = `
apiVersion: dapr.io/v1alpha1
kind: Component
metadata: { name: bus }
spec: { type: pubsub.in-memory, version: v1 }
`;

/** Never answers; `called` resolves when it was asked for something else than what sidecars ask for. */
async function silentApp(t: TestContext) {
  const { promise: called, resolve } = Promise.withResolvers<void>();
  const server = http.createServer(({ url }, res) => {
    if (url === '/m') resolve();
    else res.writeHead(404).end();
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, called };
}
