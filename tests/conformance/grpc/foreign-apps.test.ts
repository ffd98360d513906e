import assert from 'node:assert/strict';
import http from 'node:http';
import http2 from 'node:http2';
import net, { type AddressInfo, type Server, type Socket } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { until } from '@holdfast/test-servers';
import { rawRpc } from '../../../packages/sidecar/src/testing/raw-rpc.ts';
import { bothMakes, type Make } from '../makes/both-makes.ts';
import { startFlagged } from '../makes/flagged.ts';
import { startGrpcApp } from '../makes/grpc-app.ts';

await bothMakes(conformance);

const NOT_HTTP2 =
  'connection error: desc = "error reading server preface: http2: failed reading the frame payload: http2: frame too large, note that the frame header looked like an HTTP/1.1 header"';

/** gRPC calls passed through (`dapr-app-id`) to applications that do not speak it, or that the sidecar was not told to speak it. */
function conformance(make: Make, executable: string | undefined): void {
  describe(`${make}, gRPC calls passed through to an application that`, () => {
    for (const protocol of ['http', 'h2c'] as const) {
      test(`speaks gRPC at its port, whose sidecar was told ${protocol}`, async (t) => {
        const app = await startGrpcApp();
        t.after(() => app.close());
        const { message, messages, status } = await called(t, app.port, protocol);
        assert.deepEqual([status, message, messages.length], ['0', '', 1]);
      });
    }

    test('is not well: its health is not asked after', async (t) => {
      const app = await startGrpcApp();
      t.after(() => app.close());
      const probed = { 'enable-app-health-check': true, 'app-health-probe-interval': 1 } as const;
      const flags = { 'app-port': app.port, 'app-health-threshold': 1, ...probed };
      // It does not speak HTTP/1.1, in which it is probed, and so is never well.
      const sidecar = await startFlagged(executable, { flags, wait: false });
      t.after(() => sidecar.stop());
      const { grpc, http: api } = sidecar.ports;
      const outbound = `http://127.0.0.1:${api}/v1.0/healthz/outbound`;
      await until(
        'it is up',
        async () => (await fetch(outbound).catch(() => undefined))?.status === 204,
      );
      const headers = { 'dapr-app-id': 'probe' };
      const { message, status } = await rawRpc(grpc, '/any.Service/Method', ['hello'], headers);
      assert.deepEqual([status, message], ['0', '']);
    });

    for (const protocol of ['http', 'grpc'] as const) {
      test(`speaks HTTP/1.1 alone, whose sidecar was told ${protocol}`, async (t) => {
        const app = http.createServer((_req, res) => res.writeHead(404).end());
        const { message, status } = await called(t, await listening(t, app), protocol);
        assert.deepEqual([status, message], ['14', NOT_HTTP2]);
      });
    }

    test('speaks HTTP/2 and no gRPC', async (t) => {
      const app = http2.createServer((_req, res) => {
        res.writeHead(200, { 'content-type': 'text/html' });
        res.end('<html>');
      });
      const { message, status } = await called(t, await listening(t, app), 'http');
      const words =
        'unexpected HTTP status code received from server: 200 (OK); transport: received unexpected content-type "text/html"';
      assert.deepEqual([status, message], ['2', words]);
    });

    test('hangs up', async (t) => {
      const app = net.createServer((socket) => socket.destroy());
      const { message, status } = await called(t, await listening(t, app), 'http');
      assert.equal(status, '14');
      // daprd may still be writing, and tells of that then.
      const words =
        make === 'daprd'
          ? /error reading server preface: |write: broken pipe|connection reset by peer/
          : /^connection error: desc = "error reading server preface: /;
      assert.match(message, words);
    });

    test('is not there any more', async (t) => {
      const app = http.createServer((_req, res) => res.writeHead(404).end());
      const port = await listening(t, app);
      const { message, status } = await called(t, port, 'http', () => app.close());
      const why = `transport: Error while dialing: dial tcp 127.0.0.1:${port}: connect: connection refused`;
      assert.deepEqual([status, message], ['14', `connection error: desc = "${why}"`]);
    });
  });

  async function called(
    t: TestContext,
    appPort: number,
    protocol: string,
    first: () => void = () => {},
  ) {
    const flags = { 'app-port': appPort, 'app-protocol': protocol };
    const sidecar = await startFlagged(executable, { flags });
    t.after(() => sidecar.stop());
    first();
    const headers = { 'dapr-app-id': 'probe' };
    return await rawRpc(sidecar.ports.grpc, '/any.Service/Method', ['hello'], headers);
  }
}

async function listening(t: TestContext, server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => sockets.add(socket));
  server.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  t.after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return (server.address() as AddressInfo).port;
}
