import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type AppMesh, startAppMesh } from './app-mesh.ts';
import { bothMakes, type Make } from './both-makes.ts';
import { ACCESS_APPS, type AccessApp, accessCases } from './cases/access.ts';
import { MIDDLEWARE_APPS, type MiddlewareApp, middlewareCases } from './cases/middleware.ts';
import { playCase } from './play-case.ts';

await bothMakes(conformance);

function conformance(make: Make, executable: string | undefined): void {
  describe(`${make}, access`, () => {
    let mesh: AppMesh<AccessApp>;
    before(async () => {
      mesh = await startAppMesh(executable, ACCESS_APPS);
    });
    after(() => mesh.stop());

    for (const one of accessCases) {
      test(`${one.name}${difference(one)}`, () => playCase(mesh, one, make));
    }

    test('metrics count who was let in, and who was not', async () => {
      const page = await (await fetch(`http://127.0.0.1:${mesh.metricsPort('closed')}/`)).text();
      // A label without a value is the same as none to Prometheus.
      assert.match(
        page,
        /^dapr_runtime_acl_global_policy_action_blocked_total(\{app_id="",namespace="",trustDomain=""\})? \d+$/m,
      );
    });
  });

  describe(`${make}, middleware`, () => {
    let mesh: AppMesh<MiddlewareApp>;
    before(async () => {
      mesh = await startAppMesh(executable, MIDDLEWARE_APPS);
    });
    after(() => mesh.stop());

    for (const one of middlewareCases) {
      test(`${one.name}${difference(one)}`, () => playCase(mesh, one, make));
    }
  });
}

function difference({ daprd }: { readonly daprd?: { readonly why: string } }): string {
  return daprd === undefined ? '' : `; daprd differs: ${daprd.why}`;
}
