import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { until } from '@holdfast/test-servers';
import { bothMakes, type Make } from '../makes/both-makes.ts';
import { type Mesh, startMesh } from '../makes/mesh.ts';
import { ancestors, startCollector, type ZipkinSpan } from '../makes/span-collector.ts';

await bothMakes(spansOf);

/** Each test holds for both, except what names `make`. */
function spansOf(make: Make, executable: string | undefined): void {
  // Side by side, as each waits for a batch of spans, which leaves every five seconds.
  describe(`${make} sends spans to Zipkin`, { concurrency: 4 }, () => {
    let mesh: TracedMesh;
    before(async () => {
      mesh = await start(executable);
    });
    after(() => mesh.stop());

    test('of a call: the caller as client, the callee as server inside it, with Dapr’s tags', async () => {
      const spans = await mesh.ask('/v1.0/invoke/callee/method/spans/a?q=1', 2, {
        'dapr-foo': 'bar',
      });

      const client = spans.find(({ kind }) => kind === 'CLIENT')!;
      const server = spans.find(({ kind }) => kind === 'SERVER')!;
      const { 'server.port': port = '', ...clientTags } = client.tags;
      assert.deepEqual(
        [lower(client), client.localEndpoint.serviceName, pick(clientTags, CLIENT_TAGS)],
        [
          'calllocal/callee/spans/a',
          'caller',
          {
            'dapr-foo': 'bar',
            'dapr.api': 'GET /v1.0/invoke/callee/method/spans/a',
            'dapr.protocol': 'http',
            'dapr.status_code': '200',
            'http.request.method': 'GET',
            'net.peer.name': 'callee',
            'rpc.service': 'ServiceInvocation',
            'server.address': '127.0.0.1',
            'url.full': '/v1.0/invoke/callee/method/spans/a?q=1',
          },
        ],
      );
      assert.match(port, /^\d+$/);
      assert.deepEqual(
        [lower(server), server.localEndpoint.serviceName, pick(server.tags, SERVER_TAGS)],
        [
          'calllocal/callee/spans/a',
          'callee',
          {
            'dapr.api': '/dapr.proto.internals.v1.ServiceInvocation/CallLocalStream',
            'dapr.invoke_method': 'spans/a',
            'dapr.protocol': 'grpc',
            'rpc.service': 'ServiceInvocation',
          },
        ],
      );
      assert.ok(
        ancestors(spans, server).includes(client),
        'the server span is inside the client’s',
      );
    });

    test('of a failed call: an error with the status in words', async () => {
      const spans = await mesh.ask('/v1.0/invoke/callee/method/spans/b?status=404', 2);

      const client = spans.find(({ kind }) => kind === 'CLIENT')!;
      assert.deepEqual(
        [client.tags['dapr.status_code'], client.tags.error, client.tags['otel.status_code']],
        ['404', 'Code(404): Not Found', 'ERROR'],
      );
    });

    for (const [status, words] of [
      [413, 'Request Entity Too Large'],
      [509, 'Unknown'],
    ] as const) {
      test(`of a call that failed with ${status}: in the words of Go, ${words}`, async () => {
        const spans = await mesh.ask(
          `/v1.0/invoke/callee/method/spans/${status}?status=${status}`,
          2,
        );
        const client = spans.find(({ kind }) => kind === 'CLIENT')!;
        assert.equal(client.tags.error, `Code(${status}): ${words}`);
      });
    }

    test('of a call that is tried again: a server span for each attempt', async () => {
      const spans = await mesh.ask('/v1.0/invoke/callee.retried/method/spans-c?fail=2', 4);

      const client = spans.find(({ kind }) => kind === 'CLIENT')!;
      const servers = spans.filter(({ kind }) => kind === 'SERVER');
      assert.equal(servers.length, 3);
      assert.ok(servers.every((server) => ancestors(spans, server).includes(client)));
      if (make === 'daprd') return;
      // What Dapr leaves out: which attempt it was, and how each ended.
      const attempts = spans.filter(({ name }) => name === 'attempt');
      assert.deepEqual(
        attempts
          .map(({ tags }) => [tags['holdfast.attempt'], tags['http.response.status_code']])
          .sort(),
        [
          ['1', '503'],
          ['2', '503'],
          ['3', '200'],
        ],
      );
      assert.ok(servers.every((server) => attempts.some(({ id }) => id === server.parentId)));
    });

    test('inside the trace that the client began, and none of one that is not sampled', async () => {
      const traceId = '0af7651916cd43dd8448eb211c80319c';
      const traceparent = (flags: string) => `00-${traceId}-b7ad6b7169203331-${flags}`;

      await mesh.ask('/v1.0/invoke/callee/method/spans/e', 0, { traceparent: traceparent('00') });
      const seen = await mesh.ask('/v1.0/invoke/callee/method/spans/d', 2, {
        traceparent: traceparent('01'),
      });

      const client = seen.find(({ kind }) => kind === 'CLIENT')!;
      assert.deepEqual([client.traceId, client.parentId], [traceId, 'b7ad6b7169203331']);
      assert.deepEqual(
        mesh.spans().filter(({ tags }) => tags['url.full']?.endsWith('/spans/e')),
        [],
      );
    });
  });
}

const CLIENT_TAGS = [
  'dapr-foo',
  'dapr.api',
  'dapr.protocol',
  'dapr.status_code',
  'http.request.method',
  'net.peer.name',
  'rpc.service',
  'server.address',
  'url.full',
];
const SERVER_TAGS = ['dapr.api', 'dapr.invoke_method', 'dapr.protocol', 'rpc.service'];

function pick(tags: Readonly<Record<string, string>>, names: readonly string[]) {
  return Object.fromEntries(names.map((name) => [name, tags[name]]));
}

/** Zipkin's clients in Go write names in lower case. */
const lower = ({ name }: ZipkinSpan) => name.toLowerCase();

/** A mesh that sends its spans here. */
interface TracedMesh {
  spans(): readonly ZipkinSpan[];

  /** Calls, and resolves with the spans of the call when there are `wanted` of Dapr's kinds. */
  ask(
    path: string,
    wanted: number,
    headers?: Record<string, string>,
  ): Promise<readonly ZipkinSpan[]>;

  stop(): Promise<void>;
}

async function start(executable: string | undefined): Promise<TracedMesh> {
  const collector = await startCollector();
  const mesh: Mesh = await startMesh(executable, {
    tracing: `samplingRate: "1", zipkin: { endpointAddress: "${collector.url}" }`,
  });

  return {
    spans: collector.spans,

    async ask(path, wanted, headers = {}) {
      const answer = await fetch(`http://127.0.0.1:${mesh.port('caller')}${path}`, { headers });
      await answer.arrayBuffer();
      const traceId = answer.headers.get('traceparent')?.split('-')[1];
      const mine = () => collector.spans().filter((span) => span.traceId === traceId);
      const enough = () => mine().filter(({ kind }) => kind !== undefined).length >= wanted;
      await until(() => `${wanted} spans of ${path}, not ${mine().length}`, enough);
      return mine();
    },

    async stop() {
      await mesh.stop();
      collector.close();
    },
  };
}
