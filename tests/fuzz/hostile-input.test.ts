import assert from 'node:assert/strict';
import http from 'node:http';
import http2 from 'node:http2';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { checkResiliency, parseResiliency } from '@holdfast/config';
import { seededRandom } from '@holdfast/core/testing';
import { type Sidecar, startSidecar } from '@holdfast/sidecar';
import { HEAD, headText, LAST, PREFACE } from '../../packages/sidecar/src/peers/frame-format.ts';
import { programmatic } from '../../packages/sidecar/src/pubsub/subscribe/subscription.ts';
import { mutate } from './mutate.ts';
import { inLanes, throwBytes } from './throw-bytes.ts';

/** All together; `npm run fuzz` says 100,000. */
const INPUTS = Number(process.argv[2] ?? 3_000);
const SEED = Number(process.env.HOLDFAST_SEED ?? 1);
const share = (part: number): number => Math.ceil(INPUTS * part);
const GROWTH_BYTES = 64 * 1024 * 1024;

describe(`hostile input (seed ${SEED}, ${INPUTS} inputs)`, () => {
  let sidecar: Sidecar;
  let app: http.Server;
  const faults: unknown[] = [];
  const fault = (error: unknown) => void faults.push(error);
  before(async () => {
    process.on('uncaughtException', fault).on('unhandledRejection', fault);
    app = http.createServer((req, res) => {
      req.resume().on('end', () => res.end('ok'));
    });
    app.listen(0, '127.0.0.1');
    await new Promise((resolve) => app.once('listening', resolve));
    sidecar = await startSidecar({
      appId: 'one',
      appPort: (app.address() as AddressInfo).port,
      httpPort: 0,
      grpcPort: 0,
      metricsPort: 0,
      maxBodyBytes: 64 * 1024,
      names: {
        register: async () => {},
        resolve: () => [],
        unreachable: () => {},
        notFound: () => 'nobody',
        close: async () => {},
      },
    });
  });
  after(async () => {
    await sidecar.stop({ force: true });
    app.close();
    app.closeAllConnections();
    process.off('uncaughtException', fault).off('unhandledRejection', fault);
  });

  const isWell = async (): Promise<void> => {
    const url = `http://127.0.0.1:${sidecar.ports.http}/v1.0/invoke/one/method/x`;
    assert.equal(await (await fetch(url)).text(), 'ok');
    assert.deepEqual(faults, []);
  };
  const bounded = async (work: () => Promise<void>): Promise<void> => {
    const heap = heapBytes();
    await work();
    const grown = heapBytes() - heap;
    assert.ok(grown < GROWTH_BYTES, `the heap grew by ${grown} bytes`);
    await isWell();
  };

  test('the HTTP API', async () => {
    const random = seededRandom(SEED);
    await bounded(() =>
      inLanes(share(0.25), 16, () => throwBytes(sidecar.ports.http, mutate(REQUESTS, random))),
    );
  });

  test('the port of other sidecars', async () => {
    const random = seededRandom(SEED + 1);
    await bounded(() =>
      inLanes(share(0.25), 16, () => throwBytes(sidecar.ports.internal, mutate(FRAMES, random))),
    );
  });

  test('messages of the gRPC API', async () => {
    const random = seededRandom(SEED + 2);
    const session = http2.connect(`http://127.0.0.1:${sidecar.ports.grpc}`);
    session.on('error', fault);
    await bounded(() =>
      inLanes(share(0.2), 32, async (n) => {
        const method = METHODS[n % METHODS.length]!;
        await sendRpc(session, `/dapr.proto.runtime.v1.Dapr/${method}`, mutate(MESSAGES, random));
      }),
    );
    session.close();
  });

  test('bytes that are no HTTP/2 on the port of gRPC', async () => {
    const random = seededRandom(SEED + 3);
    await bounded(() =>
      inLanes(share(0.05), 16, () => throwBytes(sidecar.ports.grpc!, mutate(HTTP2, random))),
    );
  });

  test('policy files', () => {
    const random = seededRandom(SEED + 4);
    for (let n = 0; n < share(0.15); n += 1) {
      const text = mutate(FILES, random).toString('utf8');
      const { documents } = parseResiliency(text, 'fuzz.yaml');
      for (const { line, message } of checkResiliency(documents)) {
        assert.ok(line >= 1 && line <= text.split('\n').length, `line ${line}: ${message}`);
      }
    }
  });

  test('rules of subscriptions', () => {
    const random = seededRandom(SEED + 5);
    for (let n = 0; n < share(0.1); n += 1) {
      const match = mutate(RULES, random).toString('utf8');
      const rules = [{ match, path: '/x' }];
      try {
        const list = [{ pubsubname: 'p', topic: 't', routes: { rules } }];
        const [one] = programmatic(list).subscriptions;
        one?.rules[0]?.takes({ type: 'widget', data: { n: 1 } });
      } catch (error) {
        // A rule that is none is refused in words; nothing else may come out.
        assert.ok(error instanceof Error && !(error instanceof TypeError), String(error));
      }
    }
  });
});

function heapBytes(): number {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}

function sendRpc(session: http2.ClientHttp2Session, path: string, message: Buffer): Promise<void> {
  return new Promise((resolve) => {
    const stream = session.request({
      ':method': 'POST',
      ':path': path,
      'content-type': 'application/grpc',
    });
    stream.on('error', () => {});
    stream.on('data', () => {});
    stream.setTimeout(200, () => stream.close(http2.constants.NGHTTP2_CANCEL));
    stream.on('close', () => resolve());
    const head = Buffer.alloc(5);
    head.writeUInt32BE(message.length, 1);
    stream.end(Buffer.concat([head, message]));
  });
}

const REQUESTS = [
  'GET /v1.0/invoke/one/method/x?a=b HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n',
  'POST /v1.0/invoke/one/method/x HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nConnection: close\r\n\r\nbody',
  'POST /x HTTP/1.1\r\nHost: h\r\ndapr-app-id: one\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n',
  'POST /v1.0/state/s HTTP/1.1\r\nHost: h\r\nContent-Length: 25\r\n\r\n[{"key":"a","value":"b"}]',
  'POST /v1.0/publish/p/t?metadata.ttlInSeconds=1 HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n{}',
  'PUT /v1.0/metadata/k HTTP/1.1\r\nHost: h\r\nbaggage: a=b\r\ntraceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\nContent-Length: 1\r\n\r\nv',
  'GET /v1.0/metadata HTTP/1.1\r\nHost: h\r\nauthorization: Basic ZGFwci1hcHAtaWQ6b25l\r\n\r\n',
].map((text) => Buffer.from(text, 'latin1'));

const FRAMES = (() => {
  const frame = (kind: number, stream: number, payload: Buffer): Buffer => {
    const bytes = Buffer.alloc(9);
    bytes.writeUInt32BE(payload.length, 0);
    bytes[4] = kind;
    bytes.writeUInt32BE(stream, 5);
    return Buffer.concat([bytes, payload]);
  };
  const head = (text: string): Buffer => {
    const bytes = Buffer.from(text, 'latin1');
    const length = Buffer.alloc(2);
    length.writeUInt16BE(bytes.length, 0);
    return Buffer.concat([length, bytes]);
  };
  const to = ['dapr-callee-app-id', 'one', 'dapr-caller-app-id', 'two'];
  const get = frame(HEAD | LAST, 1, head(headText('GET\n/x', to)));
  const post = frame(HEAD, 3, head(headText('POST\n/x', to)));
  const rpc = frame(HEAD | LAST, 5, head(headText('GRPC\n/a.B/C', to)));
  return [
    Buffer.concat([PREFACE, get]),
    Buffer.concat([PREFACE, post, frame(2 | LAST, 3, Buffer.from('body'))]),
    Buffer.concat([PREFACE, rpc, frame(3, 5, Buffer.alloc(0)), frame(4, 1, Buffer.alloc(4))]),
  ];
})();

const METHODS = [
  'InvokeService',
  'GetState',
  'SaveState',
  'ExecuteStateTransaction',
  'PublishEvent',
  'BulkPublishEvent',
  'GetBulkSecret',
  'TryLockAlpha1',
  'GetConfiguration',
  'InvokeBinding',
  'SetMetadata',
  'SubscribeTopicEventsAlpha1',
];

/** Messages that are some of those, and texts in between. */
const MESSAGES = [
  [0x0a, 3, 0x6f, 0x6e, 0x65, 0x12, 12, 0x0a, 1, 0x78, 0x12, 4, 0x12, 2, 0x68, 0x69, 0x22, 1, 0x08],
  [0x0a, 1, 0x73, 0x12, 6, 0x0a, 1, 0x6b, 0x12, 1, 0x76],
  [0x0a, 1, 0x73, 0x12, 1, 0x6b, 0x1a, 4, 0x0a, 1, 0x61, 0x12, 1, 0x62],
  [0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
  [0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f],
].map((bytes) => Buffer.from(bytes));

const HTTP2 = [
  Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0', 'latin1'),
  Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\x04\x08\0\0\0\0\0\0\0\xff\xff', 'latin1'),
  Buffer.from('GET / HTTP/1.1\r\nHost: h\r\n\r\n', 'latin1'),
];

const FILES = [
  `apiVersion: dapr.io/v1alpha1
kind: Resiliency
metadata: { name: fuzz }
spec:
  policies:
    timeouts: { short: 1s }
    retries: { r: { policy: exponential, maxInterval: 15s, maxRetries: 3, matching: { httpStatusCodes: "429,500-599" } } }
    circuitBreakers: { c: { maxRequests: 1, interval: 8s, timeout: 30s, trip: "consecutiveFailures > 8 || totalFailures * 2 > requests" } }
  targets:
    apps: { a: { timeout: short, retry: r, circuitBreaker: c } }
    components: { s: { outbound: { retry: r }, inbound: { timeout: short } } }
`,
].map((text) => Buffer.from(text));

const RULES = [
  'event.type == "widget"',
  'event.data.n > 0 && event.type.startsWith("w")',
  'size(event.data.list) > 2 ? true : has(event.data.x)',
  '[1, 2].exists(i, i == event.data.n)',
].map((text) => Buffer.from(text));
