import assert from 'node:assert/strict';
import http from 'node:http';
import { describe, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '@holdfast/test-servers';
import { bothMakes, type Make } from '../makes/both-makes.ts';
import { startFlagged } from '../makes/flagged.ts';

const RESOURCES = {
  'bus.yaml': `
apiVersion: dapr.io/v1alpha1
kind: Component
metadata: { name: bus }
spec: { type: pubsub.in-memory, version: v1 }
`,
  'tick.yaml': `
apiVersion: dapr.io/v1alpha1
kind: Component
metadata: { name: tick }
spec: { type: bindings.cron, version: v1, metadata: [{ name: schedule, value: '@every 1h' }] }
`,
};
/** So long that a second probe is never waited for. */
const PROBE_SECONDS = 3_600;

await bothMakes(conformance);

function conformance(make: Make, executable: string | undefined): void {
  describe(`${make}, an application that comes later than its sidecar`, () => {
    test('is asked one thing after the other, and then the sidecar is ready', async (t) => {
      const { asked, healthy, port, said } = await start(t, {});
      assert.equal(await healthy(), false);
      await asked('OPTIONS /tick', port);
      while (!(await healthy())) await sleep(10);
      assert.deepEqual(await asked('OPTIONS /tick'), [
        'GET /dapr/config',
        'answered',
        'GET /dapr/subscribe',
        'answered',
        'OPTIONS /tick',
        'answered',
      ]);
      // What operators look for in the log, in this order.
      const lines = [
        `application protocol: http. waiting on port ${port}.  This will block until the app is listening on that port.`,
        `application discovered on port ${port}`,
        'app is subscribed to the following topics: [[t]] through pubsub=bus',
      ];
      const log = said();
      const places = lines.map((line) => log.indexOf(`msg="${line}"`));
      assert.ok(!places.includes(-1), log);
      assert.deepEqual(
        places,
        places.toSorted((a, b) => a - b),
      );
    });

    test('is probed as soon as it is there, and asked as soon as it is well', async (t) => {
      const { asked, port } = await start(t, {
        'enable-app-health-check': true,
        'app-health-check-path': '/probe',
        'app-health-probe-interval': PROBE_SECONDS,
      });
      assert.deepEqual(await asked('OPTIONS /tick', port), [
        'GET /probe',
        'answered',
        'GET /dapr/config',
        'answered',
        'GET /dapr/subscribe',
        'answered',
        'OPTIONS /tick',
      ]);
    });
  });

  async function start(t: TestContext, flags: Readonly<Record<string, string | number | true>>) {
    const port = await freePort();
    const log: string[] = [];
    const app = http.createServer((req, res) => {
      log.push(`${req.method} ${req.url}`);
      const answer = (): void => {
        log.push('answered');
        res.setHeader('content-type', 'application/json').end(ANSWERS[req.url!] ?? '{}');
      };
      // Long enough to be seen by whoever does not wait for it.
      req.resume().on('end', () => setTimeout(answer, 60));
    });
    const sidecar = await startFlagged(executable, {
      wait: false,
      flags: { 'app-port': port, ...flags },
      resources: RESOURCES,
    });
    t.after(async () => {
      await sidecar.stop();
      app.close();
      app.closeAllConnections();
    });
    const status = (path: string): Promise<number> =>
      fetch(`http://127.0.0.1:${sidecar.ports.http}/v1.0/${path}`).then(
        (answer) => answer.status,
        () => 0,
      );
    // It serves before its application is there.
    while ((await status('healthz/outbound')) !== 204) await sleep(10);
    return {
      port,
      said: sidecar.said,
      healthy: async () => (await status('healthz')) === 204,
      /** What it has been asked up to that; `port`: it listens from now on. */
      async asked(last: string, listen?: number): Promise<readonly string[]> {
        if (listen !== undefined) app.listen(listen, '127.0.0.1');
        while (!log.includes(last)) await sleep(10);
        return [...log];
      },
    };
  }
}

const ANSWERS: Readonly<Record<string, string>> = {
  '/dapr/config': '{"entities":[]}',
  '/dapr/subscribe': '[{"pubsubname":"bus","topic":"t","route":"/t"}]',
};
