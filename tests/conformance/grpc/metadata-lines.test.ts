import assert from 'node:assert/strict';
import http from 'node:http';
import http2, { type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { create, toBinary } from '@bufbuild/protobuf';
import {
  HTTPExtension_Verb,
  HTTPExtensionSchema,
  InvokeRequestSchema,
} from '../../../packages/sidecar/src/grpc/protos/common_pb.ts';
import { InvokeServiceRequestSchema } from '../../../packages/sidecar/src/grpc/protos/invoke_pb.ts';
import { rawRpc } from '../../../packages/sidecar/src/testing/raw-rpc.ts';
import { type AppMesh, startAppMesh } from '../makes/app-mesh.ts';
import { bothMakes } from '../makes/both-makes.ts';

const TRACE = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
const TRACE_BIN = 'AABL+S81d7NNpqPOkp0ODkc2AQDwZ6oLqQK3AgE';
const HEAD = { 'x-answered': ['one', 'two'] };

await bothMakes((make, executable) => {
  conformance(make, executable, executable);
  // A daprd is called in its own way, and calls so.
  if (executable !== undefined) {
    conformance('holdfast that calls daprd', undefined, executable);
    conformance('daprd that calls holdfast', executable, undefined);
  }
});

/** Metadata of one name and several values, and the traces that applications name in their answers. */
function conformance(
  what: string,
  executable: string | undefined,
  others: string | undefined,
): void {
  describe(`${what}, metadata of calls over gRPC`, () => {
    let app: LinesApp;
    let web: LinesApp;
    let mesh: AppMesh<'caller' | 'spoken' | 'callee'>;
    before(async () => {
      app = await startLinesApp();
      web = await startWebApp();
      mesh = await startAppMesh(executable, {
        caller: {},
        spoken: { appPort: app.port, make: { daprd: others } },
        callee: { appPort: web.port, make: { daprd: others } },
      });
    });
    after(async () => {
      await mesh?.stop();
      app.close();
      web.close();
    });
    const invoke = (id: string) => {
      const httpExtension = create(HTTPExtensionSchema, { verb: HTTPExtension_Verb.GET });
      const message = create(InvokeRequestSchema, { method: 'lines', httpExtension });
      const request = toBinary(
        InvokeServiceRequestSchema,
        create(InvokeServiceRequestSchema, { id, message }),
      );
      return rawRpc(
        mesh.grpcPort('caller'),
        '/dapr.proto.runtime.v1.Dapr/InvokeService',
        [Buffer.from(request).toString('latin1')],
        { 'x-asked': ['a', 'b'] },
      );
    };

    test('reach an application over gRPC a line for each value, and so does its answer', async () => {
      const { headLines, status, trailerLines } = await invoke('spoken');
      assert.deepEqual(
        {
          status,
          asked: app.asked('x-asked'),
          agents: app.asked('user-agent').length,
          head: headLines('x-answered'),
          trailers: trailerLines('x-trailed'),
          type: headLines('content-type'),
        },
        {
          status: '0',
          asked: ['a', 'b'],
          agents: 1,
          head: ['one', 'two'],
          trailers: ['three', 'four'],
          type: ['application/grpc'],
        },
      );
    });

    test('reach an application over HTTP a line for each value, and so does its answer', async () => {
      const { headLines, status } = await invoke('callee');
      assert.deepEqual(
        { status, asked: web.asked('x-asked'), head: headLines('x-answered') },
        { status: '0', asked: ['a', 'b'], head: ['one', 'two'] },
      );
    });

    for (const id of ['spoken', 'callee']) {
      test(`have the trace that ${id} names in its answer, in both forms`, async () => {
        const { headLines } = await invoke(id);
        const bin = headLines('grpc-trace-bin').map((value) => value.replace(/=+$/, ''));
        assert.deepEqual([headLines('traceparent'), bin], [[TRACE], [TRACE_BIN]]);
      });
    }

    test('of an application over gRPC are headers of a client over HTTP, a line for each value', async () => {
      const url = `http://127.0.0.1:${mesh.port('caller')}/v1.0/invoke/spoken/method/lines`;
      const answer = await new Promise<http.IncomingMessage>((resolve, reject) =>
        http.get(url, resolve).on('error', reject),
      );
      answer.resume();
      assert.deepEqual(linesOf(answer.rawHeaders, 'x-answered'), ['one', 'two']);
    });

    test('of calls passed through are a line for each value either way', async () => {
      const headers = { 'x-asked': ['a', 'b'], 'dapr-app-id': 'spoken' };
      const port = mesh.grpcPort('caller');
      const { headLines, trailerLines } = await rawRpc(port, '/any.Service/Lines', ['m'], headers);
      assert.deepEqual(
        [app.asked('x-asked'), headLines('x-answered'), trailerLines('x-trailed')],
        [
          ['a', 'b'],
          ['one', 'two'],
          ['three', 'four'],
        ],
      );
    });
  });
}

interface LinesApp {
  readonly port: number;
  /** The lines of one name in the call that came last. */
  asked(name: string): readonly string[];
  close(): void;
}

/** An application over HTTP whose answers have headers of several lines, and a trace. */
function startWebApp(): Promise<LinesApp> {
  let last: readonly string[] = [];
  const server = http.createServer((req, res) => {
    if (req.url !== '/lines') return void res.writeHead(404).end();
    last = req.rawHeaders;
    res.writeHead(200, { ...HEAD, traceparent: TRACE }).end();
  });
  return listening(server, () => last);
}

/** An application over gRPC whose answers are an empty message between metadata of several lines. */
function startLinesApp(): Promise<LinesApp> {
  let last: readonly string[] = [];
  const server = http2.createServer();
  const stream = (
    call: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    _flags: number,
    raw: string[],
  ): void => {
    const type = { ':status': 200, 'content-type': 'application/grpc' };
    call.on('error', () => {}).resume();
    if (!/\/(?:OnInvoke|Lines)$/.test(String(headers[':path']))) {
      // Dapr's own questions.
      call.respond({ ...type, 'grpc-status': '12' }, { endStream: true });
      return;
    }
    last = raw;
    call.respond({ ...type, ...HEAD, 'grpc-trace-bin': TRACE_BIN }, { waitForTrailers: true });
    call.once('wantTrailers', () =>
      call.sendTrailers({ 'grpc-status': '0', 'x-trailed': ['three', 'four'] }),
    );
    call.end(Buffer.alloc(5));
  };
  server.on('stream', stream);
  return listening(server, () => last);
}

async function listening(
  server: http.Server | http2.Http2Server,
  last: () => readonly string[],
): Promise<LinesApp> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => sockets.add(socket.on('error', () => {})));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    asked: (name) => linesOf(last(), name),
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

const linesOf = (raw: readonly string[], name: string): string[] =>
  raw.filter((_, at) => at % 2 === 1 && raw[at - 1]!.toLowerCase() === name);
