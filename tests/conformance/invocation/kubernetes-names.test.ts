import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { bothMakes, type Make } from '../makes/both-makes.ts';
import { startEchoApp } from '../makes/echo-app.ts';
import { startFlagged } from '../makes/flagged.ts';

await bothMakes(conformance, 'nameresolution/kubernetes');

/** Without a cluster: names that any machine has, and none has. */
function conformance(make: Make, executable: string | undefined): void {
  describe(`${make}, services of Kubernetes`, () => {
    test('the sidecar behind the name is called, whatever the spaces in the template', async (t) => {
      const app = await startEchoApp();
      t.after(() => app.close());
      // The one id that is a host's name on every machine.
      const flags = { 'app-id': 'localhost', 'app-port': app.port };
      const callee = await startFlagged(executable, { flags });
      t.after(() => callee.stop());
      const caller = await named(t, `{{ .ID }}:${callee.ports.internal}`);
      const at = `http://127.0.0.1:${caller.ports.http}/v1.0/invoke/localhost/method/orders`;
      for (let n = 1; n <= 3; n += 1) {
        const answer = await fetch(at);
        assert.deepEqual([answer.status, app.calls('/orders')], [200, n], await answer.text());
      }
    });

    test('a name that nobody has is told', async (t) => {
      const caller = await named(t, '{{.ID}}.{{.Namespace}}.invalid:1');
      const at = `http://127.0.0.1:${caller.ports.http}/v1.0/invoke/nobody.shop/method/orders`;
      const answer = await fetch(at);
      const { message } = (await answer.json()) as { message: string };
      assert.equal(answer.status, 500);
      assert.match(
        message,
        /failed to resolve address for 'nobody\.shop\.invalid': lookup nobody\.shop\.invalid/,
      );
    });
  });

  async function named(t: TestContext, template: string) {
    const folder = await mkdtemp(path.join(os.tmpdir(), 'holdfast-kubernetes-'));
    t.after(() => rm(folder, { recursive: true, force: true }));
    const config = path.join(folder, 'config.yaml');
    await writeFile(
      config,
      `apiVersion: dapr.io/v1alpha1
kind: Configuration
metadata: { name: named }
spec: { nameResolution: { component: Kubernetes, version: v1, configuration: { template: "${template}" } } }
`,
    );
    const sidecar = await startFlagged(executable, { flags: { config } });
    t.after(() => sidecar.stop());
    return sidecar;
  }
}
