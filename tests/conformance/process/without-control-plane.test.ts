import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { until } from '@holdfast/test-servers';
import { bothMakes, type Make } from '../makes/both-makes.ts';
import { type FlaggedSetup, startFlagged } from '../makes/flagged.ts';

await bothMakes(conformance);

function conformance(make: Make, executable: string | undefined): void {
  describe(`${make}, without a control plane`, () => {
    for (const given of [undefined, '', '"  "', "''"]) {
      const what = given === undefined ? 'no addresses' : `the addresses ${given || '(empty)'}`;
      test(`what is switched off is said once, with ${what}`, async (t) => {
        const flags = {
          ...(given !== undefined && {
            'placement-host-address': given,
            'scheduler-host-address': given,
          }),
        };
        const sidecar = await start(t, { flags });
        const said = (line: RegExp) => sidecar.said().match(line)?.length ?? 0;
        await until(
          'actors are told of',
          () => said(/Actor runtime disabled: .*Workflow APIs will be unavailable/g) > 0,
        );
        await until('the scheduler is told of', () => said(/Scheduler disabled/g) > 0);
        assert.equal(said(/Workflow APIs will be unavailable/g), 1);
        assert.equal(said(/Scheduler disabled/g), 1);
      });
    }

    test('a start says which components and policies there are, and that it has come to its end', async (t) => {
      const text = `${component('state.in-memory')}---${component('pubsub.in-memory').replace('mine', 'bus')}`;
      const sidecar = await start(t, { resources: { 'c.yaml': text, 'r.yaml': RESILIENCY } });
      const initialized = /dapr initialized\. Status: Running\. Init Elapsed \d+ms/;
      await until('it is initialized', () => initialized.test(sidecar.said()));
      const said = sidecar.said();
      assert.match(said, /Component loaded: mine \(state\.in-memory\/v1\)/);
      assert.match(said, /Component loaded: bus \(pubsub\.in-memory\/v1\)/);
      assert.match(said, /Loading Resiliency configuration: ours/);
      assert.match(said, initialized);
    });

    for (const type of ['workflow.dapr', 'stat.redis', 'nameresolution.mdns', 'state']) {
      test(`a component of type ${type} is of no kind: there is no start`, async (t) => {
        const sidecar = await start(t, { resources: { 'c.yaml': component(type) }, wait: false });
        const [code] = await sidecar.exited;
        assert.equal(code, 1);
        const words = `process component mine error: incorrect type ${type}`;
        assert.ok(sidecar.said().includes(words), sidecar.said());
      });
    }

    test('with ignoreErrors such a component is left out', async (t) => {
      const text = component('stat.redis', 'ignoreErrors: true');
      const sidecar = await start(t, { resources: { 'c.yaml': text } });
      assert.match(sidecar.said(), /process component mine error: incorrect type stat\.redis/);
    });
  });

  async function start(t: TestContext, setup: Partial<FlaggedSetup>) {
    const sidecar = await startFlagged(executable, { flags: {}, ...setup });
    t.after(() => sidecar.stop());
    return sidecar;
  }
}

const component = (type: string, more = ''): string => `
apiVersion: dapr.io/v1alpha1
kind: Component
metadata: { name: mine }
spec: { type: ${type}, version: v1, metadata: []${more && `, ${more}`} }
`;

const RESILIENCY = `
apiVersion: dapr.io/v1alpha1
kind: Resiliency
metadata: { name: ours }
spec: { policies: { timeouts: { t: 5s } }, targets: {} }
`;
