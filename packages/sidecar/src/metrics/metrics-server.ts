import { METRICS_CONTENT_TYPE } from '@holdfast/telemetry';
import { type ApiServer, startApiServer } from '../server/doors/api-server.ts';

/** Clients that never reuse a connection leave one idle for each scrape, as Go's do that are made anew each time. */
const MAX_CONNECTIONS = 10_000;
/** Which then go soon. Who scrapes every 15 s opens one anew each time, and nobody is the slower. */
const KEEP_ALIVE_MS = 5_000;

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
    maxConnections: MAX_CONNECTIONS,
    keepAliveMs: KEEP_ALIVE_MS,
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
