import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { systemClock } from '@holdfast/core';
import { newTrace } from '@holdfast/core/trace';
import { LiveSpan } from './live-span.ts';
import { openSpanSink } from './open-span-sink.ts';
import type { SpanSink } from './span.ts';

describe('spans are sent', () => {
  test('to Zipkin, as JSON', async (t) => {
    const { url, requests } = await httpCollector(t, 202);
    const sink = await openSpanSink({ serviceName: 'orders', zipkinUrl: `${url}/api/v2/spans` });

    end(sink!, 'pay', 'no money');
    await sink!.close();

    const [span] = JSON.parse(requests[0]!.body.toString());
    assert.deepEqual(
      [requests[0]!.path, span.name, span.kind, span.localEndpoint, span.tags.error],
      ['/api/v2/spans', 'pay', 'CLIENT', { serviceName: 'orders' }, 'no money'],
    );
    assert.deepEqual(
      span.annotations.map(({ value }: { value: string }) => value),
      ['refused'],
    );
  });

  test('to an OpenTelemetry collector over HTTP, with the headers asked for', async (t) => {
    const { url, requests } = await httpCollector(t, 200);
    const headers = { authorization: 'Basic abc' };
    const otlp = { protocol: 'http' as const, url, headers };
    const sink = await openSpanSink({ serviceName: 'orders', otlp });

    end(sink!, 'pay');
    await sink!.close();

    const { path, body, type, authorization } = requests[0]!;
    assert.deepEqual(
      [path, type, authorization],
      ['/v1/traces', 'application/x-protobuf', 'Basic abc'],
    );
    assert.ok(body.includes('pay') && body.includes('orders'));
  });

  test('to an OpenTelemetry collector over gRPC', async (t) => {
    const { url, requests } = await grpcCollector(t);
    const headers = { tenant: 'a' };
    const otlp = { protocol: 'grpc' as const, url, headers };
    const sink = await openSpanSink({ serviceName: 'orders', otlp });

    end(sink!, 'pay');
    await sink!.close();

    assert.ok(requests[0]!.body.includes('pay') && requests[0]!.body.includes('orders'));
    assert.equal(requests[0]!.tenant, 'a');
  });

  test('not past a proxy that cannot be understood, which is told of', async (t) => {
    const { url, requests } = await httpCollector(t, 202);
    const told: string[] = [];
    const sink = await openSpanSink({
      serviceName: 'orders',
      zipkinUrl: url,
      write: () => {},
      proxyOf() {
        throw new Error('no proxy');
      },
      onProblem: (exporter, error) => told.push(`${exporter}: ${(error as Error).message}`),
    });

    end(sink!, 'pay');
    await sink!.close();

    assert.deepEqual([told, requests], [['zipkin: no proxy'], []]);
  });

  test('as lines, and nowhere where nothing is named', async () => {
    const lines: string[] = [];
    const sink = await openSpanSink({ serviceName: 'orders', write: (line) => lines.push(line) });
    end(sink!, 'pay');

    assert.deepEqual(
      [JSON.parse(lines[0]!).name, await openSpanSink({ serviceName: 'orders' })],
      ['pay', undefined],
    );
  });

  test('and a collector that is down is told of, holds nobody up and costs bounded memory', async () => {
    const problems: string[] = [];
    const sink = await openSpanSink({
      serviceName: 'orders',
      zipkinUrl: 'http://127.0.0.1:9/api/v2/spans',
      maxQueued: 10,
      onProblem: (exporter, error) => problems.push(`${exporter}: ${(error as Error).name}`),
    });

    for (let n = 0; n < 1_000; n += 1) end(sink!, 'pay');
    await sink!.close(5_000);

    assert.ok(problems.length > 0 && problems[0]!.startsWith('zipkin: '), problems.join());
  });
});

function end(sink: SpanSink, name: string, error?: string): void {
  const work = { name, kind: 'client', parentSpanId: undefined } as const;
  const span = new LiveSpan(newTrace(true), work, sink, systemClock);
  span.event('refused', { 'holdfast.policy': 'calm' });
  span.end(error);
  span.end('a second end says nothing');
}

async function httpCollector(t: TestContext, status: number) {
  const requests: { path?: string; type?: string; authorization?: string; body: Buffer }[] = [];
  const server = createServer((req, res) => {
    const chunks: Buffer[] = [];
    req.on('data', (chunk: Buffer) => chunks.push(chunk));
    req.on('end', () => {
      const { 'content-type': type = '', authorization = '' } = req.headers;
      requests.push({ path: req.url ?? '', type, authorization, body: Buffer.concat(chunks) });
      res.writeHead(status).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests };
}

async function grpcCollector(t: TestContext) {
  const requests: { body: Buffer; tenant: unknown }[] = [];
  const server = new Server();
  const raw = (bytes: Buffer) => bytes;
  server.addService(
    {
      Export: {
        path: '/opentelemetry.proto.collector.trace.v1.TraceService/Export',
        requestStream: false,
        responseStream: false,
        requestSerialize: raw,
        requestDeserialize: raw,
        responseSerialize: raw,
        responseDeserialize: raw,
      },
    },
    {
      Export: (
        call: { request: Buffer; metadata: { get(name: string): unknown[] } },
        done: (error: null, answer: Buffer) => void,
      ) => {
        requests.push({ body: call.request, tenant: call.metadata.get('tenant')[0] });
        done(null, Buffer.alloc(0));
      },
    },
  );
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    ),
  );
  t.after(() => server.forceShutdown());
  return { url: `http://127.0.0.1:${port}`, requests };
}
