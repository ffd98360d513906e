import http from 'node:http';
import https from 'node:https';
import type { ZipkinExporter } from '@opentelemetry/exporter-zipkin';
import type { SpanExporter } from '@opentelemetry/sdk-trace';
import { withVariables } from './with-variables.ts';

/** Node's agent asks the proxy for all that is sent by it. */
export function agentOf({ protocol }: URL, { href }: URL): http.Agent {
  const proxyEnv = { HTTP_PROXY: href, HTTPS_PROXY: href };
  const options = { keepAlive: true, proxyEnv };
  return protocol === 'https:' ? new https.Agent(options) : new http.Agent(options);
}

interface Sent {
  readonly code: number;
  readonly error?: Error;
}

/** Has a Zipkin exporter, which takes no agent, send by one: in place of its own `_send`, with the same outcome. */
export function byProxy(exporter: ZipkinExporter, url: URL, proxy: URL): void {
  const { request } = url.protocol === 'https:' ? https : http;
  const options = {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    agent: agentOf(url, proxy),
  };
  const send = (spans: readonly object[], done: (sent: Sent) => void): void => {
    const failed = (error: Error) => done({ code: 1, error });
    const asked = request(url, options, (answer) => {
      const { statusCode = 0 } = answer;
      answer.resume().on('end', () => {
        if (statusCode < 400) done({ code: 0 });
        else failed(new Error(`Got unexpected status code from zipkin: ${statusCode}`));
      });
    });
    asked.on('error', failed).end(JSON.stringify(spans));
  };
  Object.assign(exporter, { _send: send });
}

/**
 * gRPC's client reads the variables of proxies in a way of its own when it first sends: it is shown
 * the proxy meant, or none, for as long as it looks.
 */
export function tunnelled(exporter: SpanExporter, proxy: URL | undefined): SpanExporter {
  const variables = {
    grpc_proxy: proxy?.href,
    https_proxy: undefined,
    http_proxy: undefined,
    // It is of no host: an empty one would have it look at `no_proxy`.
    no_grpc_proxy: '-',
  };
  return {
    export: (spans, done) => withVariables(variables, () => exporter.export(spans, done)),
    shutdown: () => exporter.shutdown(),
    forceFlush: () => exporter.forceFlush?.() ?? Promise.resolve(),
  };
}
