import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { sendRaw } from '../../../packages/sidecar/src/testing/raw-http.ts';
import { type AppMesh, startAppMesh } from '../makes/app-mesh.ts';
import { bothMakes, type Make } from '../makes/both-makes.ts';

/** Beside a time-out that is well: what cannot be read. */
const BROKEN = {
  retry: 'retries: { bad: { policy: sometimes } }',
  matching: 'retries: { bad: { policy: constant, matching: { httpStatusCodes: "abc" } } }',
  breaker: 'circuitBreakers: { bad: { timeout: never } }',
  trip: 'circuitBreakers: { bad: { trip: "((" } }',
} as const;

type App = keyof typeof BROKEN;

const document = (app: string, broken: string) => `apiVersion: dapr.io/v1alpha1
kind: Resiliency
metadata: { name: broken }
spec:
  policies:
    timeouts: { short: 100ms }
    ${broken}
  targets: { apps: { ${app}: { timeout: short } } }
`;

await bothMakes(conformance);

/** Decision 11: daprd drops the document, we the entry. */
function conformance(make: Make, executable: string | undefined): void {
  describe(`${make}, a policy that cannot be read`, () => {
    let mesh: AppMesh<App>;
    before(async () => {
      const setups = Object.entries(BROKEN).map(([app, broken]) => [
        app,
        { resources: { 'resiliency.yaml': document(app, broken) } },
      ]);
      mesh = await startAppMesh(executable, Object.fromEntries(setups));
    });
    after(() => mesh.stop());

    for (const app of Object.keys(BROKEN) as App[]) {
      test(`${app}: its neighbour is ${make === 'daprd' ? 'gone with it' : 'in force'}`, async () => {
        const path = `/v1.0/invoke/${app}/method/slow?delay=400`;
        const { status, body } = await sendRaw(mesh.port(app), { path });
        assert.equal(status, make === 'daprd' ? 200 : 500, body);
        if (make === 'holdfast') assert.match(body, /context deadline exceeded/);
      });
    }
  });
}
