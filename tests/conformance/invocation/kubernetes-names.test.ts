import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { bothMakes, type Make } from '../makes/both-makes.ts';
import { startEchoApp } from '../makes/echo-app.ts';
import { startFlagged } from '../makes/flagged.ts';
import { startNamed } from '../makes/start-named.ts';

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

  const named = (t: TestContext, template: string) =>
    startNamed(
      t,
      executable,
      `{ component: Kubernetes, version: v1, configuration: { template: "${template}" } }`,
    );
}
