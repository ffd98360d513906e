import assert from 'node:assert/strict';
import http2, { type Http2ServerRequest, type Http2ServerResponse } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { until } from '@holdfast/test-servers';
import { type Sidecar, startSidecar } from '../../start-sidecar.ts';
import { rawRpc } from '../../testing/raw-rpc.ts';
import { sharedNames } from '../../testing/shared-names.ts';

const TO = { 'dapr-app-id': 'callee' };
const PATH = '/any.Service/Method';

describe('gRPC calls of any service', () => {
  test('a client that goes away ends the call in the application', async (t) => {
    let closed = 0;
    let begun = 0;
    const { caller } = await startPair(t, (req) => {
      begun += 1;
      req.on('data', () => {});
      req.on('close', () => {
        closed += 1;
      });
    });
    const session = http2.connect(`http://127.0.0.1:${caller.ports.grpc}`);
    const stream = session.request({
      ':method': 'POST',
      ':path': PATH,
      'content-type': 'application/grpc',
      ...TO,
    });
    stream.on('error', () => {});
    stream.write(Buffer.from([0, 0, 0, 0, 0]));
    await until('the call is in the application', () => begun === 1);
    stream.close(http2.constants.NGHTTP2_CANCEL);
    await until('the call has ended in the application', () => closed === 1);
    session.close();
  });

  test('messages of many sizes pass whole, faster than the reader and slower', async (t) => {
    const { caller } = await startPair(t, echo);
    const sent = [0, 1, 70_000, 5, 1_000_000, 16_384].map((bytes) => 'm'.repeat(bytes));
    const { messages, status } = await rawRpc(caller.ports.grpc!, PATH, sent, {
      ...TO,
      'dapr-stream': 'true',
    });
    assert.deepEqual(
      [messages.map(({ length }) => length), status],
      [[0, 1, 70_000, 5, 1_000_000, 16_384], '0'],
    );
  });

  test('a message over the limit is refused, to the application and from it', async (t) => {
    const { caller } = await startPair(t, echo, { maxBodyBytes: 1_000 });
    const much = await rawRpc(caller.ports.grpc!, PATH, ['m'.repeat(1_001)], TO);
    assert.deepEqual(
      [much.status, much.message],
      ['8', 'grpc: received message larger than max (1001 vs. 1000)'],
    );
    const { caller: other } = await startPair(t, (_req, res) => answer(res, 'm'.repeat(1_001)), {
      maxBodyBytes: 1_000,
    });
    const back = await rawRpc(other.ports.grpc!, PATH, ['m'], TO);
    assert.deepEqual([back.status, back.messages], ['8', []]);
  });

  test('an application that breaks off in the middle is UNAVAILABLE, and nothing looks whole', async (t) => {
    const { caller } = await startPair(t, (_req, res) => {
      res.writeHead(200, { 'content-type': 'application/grpc' });
      res.write(Buffer.from([0, 0, 0, 0, 9, 1, 2]));
      setTimeout(() => res.stream.session?.destroy(), 50);
    });
    const { status } = await rawRpc(caller.ports.grpc!, PATH, ['m'], TO);
    assert.equal(status, '14');
  });

  test('trailers alone are an error as it is', async (t) => {
    const { caller } = await startPair(t, (_req, res) => {
      res.stream.respond(
        {
          ':status': 200,
          'content-type': 'application/grpc',
          'grpc-status': '7',
          'grpc-message': 'not%20you',
        },
        { endStream: true },
      );
    });
    const { message, status } = await rawRpc(caller.ports.grpc!, PATH, ['m'], TO);
    assert.deepEqual([status, message], ['7', 'not you']);
  });

  test('what is no gRPC is told where the HTTP API is', async (t) => {
    const { caller } = await startPair(t, echo);
    const session = http2.connect(`http://127.0.0.1:${caller.ports.grpc}`);
    const stream = session.request({ ':path': '/v1.0/healthz' });
    const [status, text] = await new Promise<[number, string]>((resolve) => {
      let seen = 0;
      let body = '';
      stream.on('response', (headers) => {
        seen = Number(headers[':status']);
      });
      stream.setEncoding('utf8').on('data', (chunk: string) => {
        body += chunk;
      });
      stream.on('close', () => resolve([seen, body]));
    });
    session.close();
    assert.deepEqual(
      [status, text],
      [415, 'this port speaks gRPC; the HTTP API is at --dapr-http-port'],
    );
  });

  test('APIs that are not here say so, and are not taken for services', async (t) => {
    const { caller } = await startPair(t, echo);
    const seen = await Promise.all(
      ['InvokeActor', 'StartWorkflowBeta1', 'ScheduleJobAlpha1', 'ConverseAlpha1'].map((method) =>
        rawRpc(caller.ports.grpc!, `/dapr.proto.runtime.v1.Dapr/${method}`, ['']),
      ),
    );
    assert.deepEqual(
      seen.map(({ message, status }) => `${status} ${message}`),
      [
        '12 InvokeActor: the actors API is not in this version of Holdfast; run daprd for it',
        '12 StartWorkflowBeta1: the workflow API is not in this version of Holdfast; run daprd for it',
        '12 ScheduleJobAlpha1: the jobs API is not in this version of Holdfast; run daprd for it',
        '12 ConverseAlpha1: the conversation API is not in this version of Holdfast; run daprd for it',
      ],
    );
  });

  test('a sidecar that stops lets a call end and takes no other', async (t) => {
    let finish: (() => void) | undefined;
    const { caller } = await startPair(t, (_req, res) => {
      finish = () => answer(res, 'done');
    });
    const call = rawRpc(caller.ports.grpc!, PATH, ['m'], TO);
    await until('the call is in the application', () => finish !== undefined);
    const stopped = caller.stop();
    const late = rawRpc(caller.ports.grpc!, PATH, ['m'], TO).then(
      () => 'answered',
      () => 'refused',
    );
    assert.equal(await late, 'refused');
    finish?.();
    const { messages, status } = await call;
    await stopped;
    assert.deepEqual([messages, status], [['done'], '0']);
  });

  test('calls are counted by method and status', async (t) => {
    const { caller } = await startPair(t, echo);
    await rawRpc(caller.ports.grpc!, PATH, ['m'], TO);
    await rawRpc(caller.ports.grpc!, PATH, ['m'], { 'dapr-app-id': 'nobody' });
    const page = await (await fetch(`http://127.0.0.1:${caller.ports.metrics}/metrics`)).text();
    const lines = page
      .split('\n')
      .filter((line) => line.startsWith('dapr_grpc_io_server_completed'));
    assert.deepEqual(lines.sort(), [
      `dapr_grpc_io_server_completed_rpcs{app_id="caller",grpc_server_method="${PATH}",grpc_server_status="OK"} 1`,
      `dapr_grpc_io_server_completed_rpcs{app_id="caller",grpc_server_method="${PATH}",grpc_server_status="Unknown"} 1`,
    ]);
  });
});

type Handler = (req: Http2ServerRequest, res: Http2ServerResponse) => void;

function echo(req: Http2ServerRequest, res: Http2ServerResponse): void {
  res.writeHead(200, { 'content-type': 'application/grpc' });
  res.addTrailers({ 'grpc-status': '0' });
  req.pipe(res as never);
}

function answer(res: Http2ServerResponse, text: string): void {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(text.length, 1);
  res.writeHead(200, { 'content-type': 'application/grpc' });
  res.addTrailers({ 'grpc-status': '0' });
  res.end(Buffer.concat([head, Buffer.from(text)]));
}

async function startPair(
  t: TestContext,
  app: Handler,
  more: { readonly maxBodyBytes?: number } = {},
): Promise<{ caller: Sidecar; callee: Sidecar }> {
  const server = http2.createServer(app).listen(0, '127.0.0.1');
  server.on('sessionError', () => {});
  const sessions = new Set<http2.ServerHttp2Session>();
  server.on('session', (session) => {
    sessions.add(session);
    session.on('error', () => {});
  });
  await new Promise((resolve) => server.once('listening', resolve));
  t.after(() => {
    server.close();
    for (const session of sessions) session.destroy();
  });
  const { port: appPort } = server.address() as AddressInfo;
  const names = sharedNames();
  const ports = { httpPort: 0, grpcPort: 0, metricsPort: 0 };
  const callee = await startSidecar({
    appId: 'callee',
    appPort,
    appProtocol: 'grpc',
    names: names(),
    ...ports,
  });
  const caller = await startSidecar({ appId: 'caller', names: names(), ...ports, ...more });
  t.after(() => Promise.all([caller.stop({ force: true }), callee.stop({ force: true })]));
  return { caller, callee };
}
