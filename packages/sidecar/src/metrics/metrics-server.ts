import { METRICS_CONTENT_TYPE } from '@holdfast/telemetry';
import { type ApiServer, startApiServer } from '../server/api-server.ts';

/** Serves the metrics at every path, as daprd does (`/` and `/metrics` are the usual ones). */
export function startMetricsServer(
  host: string,
  port: number,
  render: () => Promise<string>,
): Promise<ApiServer> {
  return startApiServer({
    hosts: [host],
    port,
    flag: '--metrics-port',
    maxHeaderBytes: 8 * 1024,
    // Some that scrape open one each time, and leave it.
    maxConnections: 10_000,
    onRequest(req, res) {
      if (req.method !== 'GET' && req.method !== 'HEAD') {
        res.writeHead(405, { allow: 'GET, HEAD' }).end();
        return;
      }
      void render().then(
        (page) => {
          const body = Buffer.from(page);
          res.writeHead(200, {
            'content-type': METRICS_CONTENT_TYPE,
            'content-length': body.length,
          });
          res.end(req.method === 'HEAD' ? undefined : body);
        },
        () => res.writeHead(500).end(),
      );
    },
  });
}
