import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { bothMakes, type Make } from '../makes/both-makes.ts';
import { startEchoApp } from '../makes/echo-app.ts';
import { startFlagged } from '../makes/flagged.ts';
import { startNamed } from '../makes/start-named.ts';

await bothMakes(conformance, 'nameresolution/nameformat');

function conformance(make: Make, executable: string | undefined): void {
  describe(`${make}, addresses that follow from the app's id`, () => {
    test('the sidecar at that address is called', async (t) => {
      const app = await startEchoApp();
      t.after(() => app.close());
      // The one id that is a host's name on every machine.
      const flags = { 'app-id': 'localhost', 'app-port': app.port };
      const callee = await startFlagged(executable, { flags });
      t.after(() => callee.stop());
      const caller = await named(t, `{appid}:${callee.ports.internal}`);
      const at = `http://127.0.0.1:${caller.ports.http}/v1.0/invoke/localhost/method/orders`;
      const answer = await fetch(at);
      assert.deepEqual([answer.status, app.calls('/orders')], [200, 1], await answer.text());
    });
  });

  const named = (t: TestContext, format: string) =>
    startNamed(t, executable, `{ component: nameformat, configuration: { format: "${format}" } }`);
}
