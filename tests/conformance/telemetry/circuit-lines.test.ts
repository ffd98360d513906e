import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, test } from 'node:test';
import { until } from '@holdfast/test-servers';
import { bothMakes, type Make } from '../makes/both-makes.ts';
import { startFlagged } from '../makes/flagged.ts';

const RESILIENCY = `apiVersion: dapr.io/v1alpha1
kind: Resiliency
metadata: { name: r }
spec:
  policies:
    circuitBreakers: { careful: { timeout: 500ms, trip: consecutiveFailures >= 2 } }
  targets:
    apps: { probe: { circuitBreaker: careful } }
`;

await bothMakes(conformance);

function conformance(make: Make, executable: string | undefined): void {
  describe(`${make}, the log of a circuit`, () => {
    test('has a line for each change of its state', async (t) => {
      let status = 500;
      const app = createServer((_request, response) => {
        response.statusCode = status;
        response.end();
      });
      await new Promise<void>((resolve) => app.listen(0, '127.0.0.1', resolve));
      t.after(() => app.close());
      const sidecar = await startFlagged(executable, {
        flags: { 'app-port': (app.address() as AddressInfo).port },
        resources: { 'resiliency.yaml': RESILIENCY },
      });
      t.after(sidecar.stop);
      const call = () =>
        fetch(`http://127.0.0.1:${sidecar.ports.http}/v1.0/invoke/probe/method/items`);

      await call();
      await call();
      status = 200;
      await until('a probe goes well', async () => (await call()).status === 200);

      const change = /level=info msg="Circuit breaker \\"(.*?)\\" changed state from (.*?)" /g;
      await until('three lines', async () => [...sidecar.said().matchAll(change)].length >= 3);
      assert.deepEqual(
        [...sidecar.said().matchAll(change)].map(([, name, states]) => `${name}: ${states}`),
        [
          'probe:items: closed to open',
          'probe:items: open to half-open',
          'probe:items: half-open to closed',
        ],
      );
      if (make === 'daprd') return;
      // Ours says the policy and why, too.
      assert.match(sidecar.said(), /policy=careful .*why="2 failures in a row"/);
    });
  });
}
