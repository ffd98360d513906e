import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { bothMakes, type Make } from '../makes/both-makes.ts';
import { startFlagged } from '../makes/flagged.ts';

await bothMakes(conformance);

function conformance(make: Make, executable: string | undefined): void {
  describe(`${make}, spec.metrics of a Configuration`, () => {
    test('is read again at SIGHUP, and the log says what is in force', async (t) => {
      const { ask, page, reload, specs } = await start(t, 'http: { increasedCardinality: false }');
      await ask();
      const before = await page();
      await reload('http: { increasedCardinality: true, excludeVerbs: true }');
      assert.deepEqual(specs(), [
        '{"enabled":true,"http":{"increasedCardinality":false}}',
        '{"enabled":true,"http":{"increasedCardinality":true,"excludeVerbs":true}}',
      ]);
      assert.match(
        before,
        /server_request_count\{app_id="probe",method="GET",path="",status="200"/,
      );
      await ask();
      const after = await page();
      // daprd's page is an error once it has begun anew: everything is there twice.
      if (make === 'daprd') assert.doesNotMatch(after, /^dapr_http_server/m);
      else {
        assert.match(after, /count\{app_id="probe",method="",path="\/v1.0\/metadata",status="200"/);
      }
    });

    test('off, it leaves a page that tells of the process', async (t) => {
      const { ask, page } = await start(t, 'enabled: false');
      await ask();
      const text = await page();
      assert.doesNotMatch(text, /^dapr_/m);
      assert.match(text, /^process_resident_memory_bytes /m);
    });
  });

  async function start(t: TestContext, metrics: string) {
    const folder = await mkdtemp(path.join(os.tmpdir(), 'holdfast-metrics-'));
    const file = path.join(folder, 'config.yaml');
    const write = (spec: string): Promise<void> =>
      writeFile(
        file,
        `apiVersion: dapr.io/v1alpha1\nkind: Configuration\nmetadata: { name: probe }\nspec: { metrics: { ${spec} } }\n`,
      );
    await write(metrics);
    const sidecar = await startFlagged(executable, { flags: { config: file } });
    t.after(async () => {
      await sidecar.stop();
      await rm(folder, { recursive: true, force: true });
    });
    const { child, ports, said } = sidecar;
    const specs = (): string[] =>
      [...said().matchAll(/metric spec: (\{.*?\}\})/g)].map(([, spec]) =>
        spec!.replaceAll('\\', ''),
      );
    const text = (port: number, at: string): Promise<string> =>
      fetch(`http://127.0.0.1:${port}${at}`).then((answer) => answer.text());
    return {
      specs,
      page: () => text(ports.metrics, '/'),
      async ask() {
        // A daprd that has just begun anew does not listen yet.
        while (!(await text(ports.http, '/v1.0/metadata').catch(() => ''))) await sleep(20);
      },
      async reload(next: string) {
        const known = specs().length;
        await write(next);
        child.kill('SIGHUP');
        while (specs().length === known) await sleep(20);
      },
    };
  }
}
