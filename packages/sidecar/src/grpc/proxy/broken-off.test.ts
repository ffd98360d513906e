import assert from 'node:assert/strict';
import http2 from 'node:http2';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { startSidecar } from '../../start-sidecar.ts';
import {
  DATA,
  END_HEADERS,
  frame,
  HEADERS,
  headerBlock,
  RST_STREAM,
  rawH2,
} from '../../testing/raw-h2.ts';
import { sharedNames } from '../../testing/shared-names.ts';

const CANCEL = 8;
const MESSAGE = Buffer.from([0, 0, 0, 0, 1, 7]);

for (const stream of ['true', 'false']) {
  for (const how of ['cancels', 'hangs up'] as const) {
    test(`a call whose client ${how} is not ended like one that is whole, dapr-stream: ${stream}`, async (t) => {
      const seen = Promise.withResolvers<string>();
      const came = Promise.withResolvers<void>();
      const port = await pair(t, (call) => {
        call.respond({ ':status': 200, 'content-type': 'application/grpc' });
        call.on('error', () => {});
        call.on('data', () => came.resolve());
        // Node ends the body of a call that was reset as well, but that is closed by then.
        call.on('end', () => seen.resolve(call.closed ? 'broken off' : 'whole'));
      });
      const client = rawH2(port);
      const headers = {
        ':method': 'POST',
        ':scheme': 'http',
        ':path': '/any.Service/Method',
        ':authority': 'sidecar',
        'content-type': 'application/grpc',
        'dapr-app-id': 'callee',
        'dapr-stream': stream,
      };
      client.send(frame(HEADERS, END_HEADERS, 1, headerBlock(headers)), frame(DATA, 0, 1, MESSAGE));
      await came.promise;
      if (how === 'cancels') client.send(frame(RST_STREAM, 0, 1, Buffer.from([0, 0, 0, CANCEL])));
      else client.socket.destroy();
      assert.equal(await seen.promise, 'broken off');
      client.socket.destroy();
    });
  }
}

/** The gRPC port of a sidecar that calls `callee`. */
async function pair(t: TestContext, app: (call: http2.ServerHttp2Stream) => void): Promise<number> {
  const server = http2.createServer().on('stream', app).listen(0, '127.0.0.1');
  const sessions = new Set<http2.ServerHttp2Session>();
  server.on('session', (session) => sessions.add(session.on('error', () => {})));
  await new Promise((resolve) => server.once('listening', resolve));
  const { port: appPort } = server.address() as AddressInfo;
  const names = sharedNames();
  const ports = { httpPort: 0, grpcPort: 0, metricsPort: 0 };
  const own = { appPort, appProtocol: 'grpc' as const };
  const callee = await startSidecar({ appId: 'callee', names: names(), ...own, ...ports });
  const caller = await startSidecar({ appId: 'caller', names: names(), ...ports });
  t.after(async () => {
    await Promise.all([caller.stop({ force: true }), callee.stop({ force: true })]);
    server.close();
    for (const session of sessions) session.destroy();
  });
  return caller.ports.grpc!;
}
