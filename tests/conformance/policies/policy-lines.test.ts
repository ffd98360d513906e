import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { freePort, until } from '@holdfast/test-servers';
import { bothMakes, type Make } from '../makes/both-makes.ts';
import { type EchoApp, startEchoApp } from '../makes/echo-app.ts';
import { type Flagged, startFlagged } from '../makes/flagged.ts';

const POLICIES = `apiVersion: dapr.io/v1alpha1
kind: Resiliency
metadata: { name: told }
spec:
  policies:
    retries: { twice: { policy: constant, duration: 20ms, maxRetries: 2 } }
    circuitBreakers: { quick: { trip: consecutiveFailures >= 2, timeout: 300ms } }
  targets:
    apps:
      http://localhost:PORT: { retry: twice }
      probe: { retry: twice, circuitBreaker: quick }
    components: { gone: { outbound: { retry: twice, circuitBreaker: quick } } }
`;
const GONE = `apiVersion: dapr.io/v1alpha1
kind: Component
metadata: { name: gone }
spec: { type: bindings.http, version: v1, metadata: [{ name: url, value: 'http://127.0.0.1:GONE' }] }
`;

await bothMakes(conformance);

/** What operators look for in the log when something fails. */
function conformance(make: Make, executable: string | undefined): void {
  describe(`${make}, lines of policies`, () => {
    let app: EchoApp;
    let sidecar: Flagged;
    before(async () => {
      app = await startEchoApp();
      sidecar = await startFlagged(executable, {
        flags: { 'app-port': app.port },
        resources: {
          'resiliency.yaml': POLICIES.replaceAll('PORT', String(app.port)),
          'gone.yaml': GONE.replace('GONE', String(await freePort())),
        },
      });
    });
    after(async () => {
      await sidecar.stop();
      await app.close();
    });

    test('a call that is tried again: once, and that it went well at last', async () => {
      assert.equal(await call('probe', 'orders/7?fail=1'), 200);
      await told('orders/7', [
        'warning Error processing operation endpoint[probe, probe:orders/7]. Retrying in 20ms…',
        'info Recovered processing operation endpoint[probe, probe:orders/7] after 2 attempts',
      ]);
    });

    test('where there is no circuit: for the app as a whole, with daprd by its method', async () => {
      const url = `http://localhost:${app.port}`;
      assert.equal(await call(url, 'lists?fail=1'), 200);
      const name = `endpoint[${url}, ${url}${make === 'daprd' ? '/lists' : ''}]`;
      await told(url, [
        `warning Error processing operation ${name}. Retrying in 20ms…`,
        `info Recovered processing operation ${name} after 2 attempts`,
      ]);
    });

    test('a circuit that opens, and closes again', async () => {
      assert.equal(await call('probe', 'down?status=500'), 500);
      await until(
        'the circuit lets one through',
        async () => (await call('probe', 'down')) === 200,
      );
      await told('probe:down', [
        'warning Error processing operation endpoint[probe, probe:down]. Retrying in 20ms…',
        'info Circuit breaker "probe:down" changed state from closed to open',
        'info Circuit breaker "probe:down" changed state from open to half-open',
        'info Circuit breaker "probe:down" changed state from half-open to closed',
      ]);
      // Ours says the policy and why, too.
      if (make === 'holdfast')
        assert.match(sidecar.said(), /policy=quick .*why="2 failures in a row"/);
    });

    test('a component', async () => {
      const at = `http://127.0.0.1:${sidecar.ports.http}/v1.0/bindings/gone`;
      assert.equal((await fetch(at, { method: 'POST', body: '{"operation":"get"}' })).status, 500);
      await told('gone', [
        'warning Error processing operation component[gone] output. Retrying in 20ms…',
        'info Circuit breaker "quick-gone" changed state from closed to open',
      ]);
    });

    const call = async (id: string, path: string): Promise<number> => {
      const at = `http://127.0.0.1:${sidecar.ports.http}/v1.0/invoke/${id}/method/${path}`;
      return (await fetch(at)).status;
    };
    /** Waits until the last of them is there; what was logged of it by then is those, and no more. */
    const told = async (about: string, expected: readonly string[]): Promise<void> => {
      const lines = () =>
        sidecar
          .said()
          .split('\n')
          .map((line) => /level=(\w+) msg="((?:[^"\\]|\\.)*)"/.exec(line) ?? [])
          .map(([, level, text = '']) => `${level} ${text.replaceAll('\\"', '"')}`)
          .filter((line) => /operation|Circuit breaker/.test(line) && line.includes(about));
      await until('it is told', () => lines().includes(expected.at(-1)!));
      assert.deepEqual(lines(), expected);
    };
  });

  describe(`${make}, several documents`, () => {
    test('each is told and counted under its name, and policies under that of the last', async (t) => {
      const document = (name: string, policies: string) =>
        `apiVersion: dapr.io/v1alpha1\nkind: Resiliency\nmetadata: ${name}\nspec: ${policies}\n`;
      const app = await startEchoApp();
      const sidecar = await startFlagged(executable, {
        flags: { 'app-port': app.port },
        resources: {
          'a.yaml': document(
            '{ name: first, namespace: shop }',
            '{ policies: { timeouts: { t: 5s } }, targets: { apps: { probe: { timeout: t } } } }',
          ),
          'b.yaml': document('{ name: bad }', '{ policies: { timeouts: { u: never } } }'),
          'c.yaml': document('{ name: last }', '{ policies: { timeouts: { v: 5s } } }'),
        },
      });
      t.after(async () => {
        await sidecar.stop();
        await app.close();
      });
      await fetch(`http://127.0.0.1:${sidecar.ports.http}/v1.0/invoke/probe/method/x`);
      const told =
        /msg="((?:Loading|Could not read) [Rr]esiliency (?:configuration|policy):? \w+)/g;
      const lines = [...sidecar.said().matchAll(told)].map(([, words]) => words);
      assert.deepEqual(lines.sort(), [
        'Could not read resiliency policy bad',
        'Loading Resiliency configuration: bad',
        'Loading Resiliency configuration: first',
        'Loading Resiliency configuration: last',
      ]);
      const page = await (await fetch(`http://127.0.0.1:${sidecar.ports.metrics}/`)).text();
      const series = (name: string) =>
        page
          .split('\n')
          .filter((line) => line.startsWith(`dapr_resiliency_${name}{`))
          .map((line) => /name="(\w+)",namespace="(\w*)"/.exec(line)?.slice(1).join(' in '));
      // Of a document that has a fault daprd leaves out all, and this sidecar what cannot be.
      const loaded = ['first in shop', 'last in ', ...(make === 'daprd' ? [] : ['bad in '])];
      assert.deepEqual(series('loaded').sort(), loaded.sort());
      assert.deepEqual(series('count'), ['last in ']);
    });
  });
}
