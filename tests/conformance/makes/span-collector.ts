import http from 'node:http';
import type { AddressInfo } from 'node:net';

/** A span as Zipkin's JSON has it. */
export interface ZipkinSpan {
  readonly traceId: string;
  readonly id: string;
  readonly parentId?: string;
  readonly name: string;
  readonly kind?: string;
  readonly localEndpoint: { readonly serviceName: string };
  readonly tags: Readonly<Record<string, string>>;
}

/** Takes spans as Zipkin does, and keeps them all. */
export interface SpanCollector {
  readonly url: string;
  spans(): readonly ZipkinSpan[];
  close(): void;
}

export async function startCollector(): Promise<SpanCollector> {
  const received: ZipkinSpan[] = [];
  const server = http.createServer((req, res) => {
    const chunks: Buffer[] = [];
    req.on('data', (chunk: Buffer) => chunks.push(chunk));
    req.on('end', () => {
      received.push(...(JSON.parse(Buffer.concat(chunks).toString()) as ZipkinSpan[]));
      res.writeHead(202).end();
    });
  });
  // Batches are five seconds apart, and so is the closing of idle connections
  // by default: a batch that meets it is lost, as exporters do not repeat a POST.
  server.keepAliveTimeout = 0;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/v2/spans`,
    spans: () => received,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** From its parent outwards. */
export function ancestors(spans: readonly ZipkinSpan[], span: ZipkinSpan): readonly ZipkinSpan[] {
  const parent = spans.find(({ id }) => id === span.parentId);
  return parent === undefined ? [] : [parent, ...ancestors(spans, parent)];
}
