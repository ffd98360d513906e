import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { ACCESS_APPS, type AccessApp, accessCases } from '../cases/access.ts';
import { type BearerApp, bearerApps, bearerCases } from '../cases/bearer.ts';
import { IDENTITY_APPS, type IdentityApp, identityCases } from '../cases/identity.ts';
import { MIDDLEWARE_APPS, type MiddlewareApp, middlewareCases } from '../cases/middleware.ts';
import { refusedSetups } from '../cases/refused-setups.ts';
import { SCOPED_APPS, type ScopedApp, SECRET_VARIABLES, scopeCases } from '../cases/scopes.ts';
import { type AppMesh, setupFailure, startAppMesh } from '../makes/app-mesh.ts';
import { bothMakes, type Make } from '../makes/both-makes.ts';
import { daprClient, outcome } from '../makes/grpc-client.ts';
import { playCase } from '../makes/play-case.ts';
import { type Sentry, startSentry } from '../makes/sentry.ts';
import { startIssuer } from './issuer.ts';

const issuer = await startIssuer();
after(() => issuer.stop());
const bearers = await bearerCases(issuer);
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

    test('APIs that are not offered over gRPC are UNIMPLEMENTED, and others are there', async () => {
      const client = daprClient(mesh.grpcPort('few'));
      const seen = [
        await outcome(async (o) => (await client.getMetadata({}, o)).id),
        await outcome((o) => client.getState({ storeName: 's', key: 'k' }, o)),
        await outcome((o) => client.shutdown({}, o)),
      ];
      const metadata = {
        'http.code': '501',
        'http.error_message': 'requested endpoint is not available',
      };
      const details = [{ reason: 'Not Implemented', domain: 'dapr.io', metadata }];
      const refused = { code: 12, message: 'Not Implemented', details };
      assert.deepEqual(seen, [{ answer: 'few' }, refused, refused]);
    });

    test('metrics count who was let in, and who was not', async () => {
      const page = await (await fetch(`http://127.0.0.1:${mesh.metricsPort('closed')}/`)).text();
      // A label without a value is the same as none to Prometheus.
      assert.match(
        page,
        /^dapr_runtime_acl_global_policy_action_blocked_total(\{app_id="",namespace="",trustDomain=""\})? \d+$/m,
      );
      // Who was not let in has not called.
      assert.doesNotMatch(page, /^dapr_runtime_service_invocation_req_recv_total/m);
    });
  });

  describe(`${make}, scopes of secrets, and components that are denied`, () => {
    let mesh: AppMesh<ScopedApp>;
    before(async () => {
      Object.assign(process.env, SECRET_VARIABLES);
      mesh = await startAppMesh(executable, SCOPED_APPS);
    });
    after(() => mesh.stop());

    for (const one of scopeCases) {
      test(`${one.name}${difference(one)}`, () => playCase(mesh, one, make));
    }

    test('over gRPC it is PERMISSION_DENIED', async () => {
      const client = daprClient(mesh.grpcPort('scoped'));
      const refused = await outcome((o) => client.getSecret({ storeName: 'closed', key: 'k' }, o));
      const { code, message } = refused as { code: number; message: string };
      assert.deepEqual([code, message], [7, 'access denied by policy to get "k" from "closed"']);
    });
  });

  describe(`${make}, access by certificate`, () => {
    let sentry: Sentry;
    let mesh: AppMesh<IdentityApp>;
    before(async () => {
      sentry = await startSentry();
      mesh = await startAppMesh(executable, IDENTITY_APPS, sentry);
    });
    after(async () => {
      await mesh?.stop();
      await sentry.stop();
    });

    for (const one of identityCases) {
      test(`${one.name}${difference(one)}`, () => playCase(mesh, one, make));
    }

    test('metrics count by the caller, and by whose word it was', async () => {
      const page = await (await fetch(`http://127.0.0.1:${mesh.metricsPort('shop')}/`)).text();
      const caller = 'app_id="caller",namespace="default",trustDomain="public"';
      for (const what of ['allowed', 'blocked']) {
        const series = `dapr_runtime_acl_app_policy_action_${what}_total{${caller}} `;
        assert.ok(page.includes(series), `${series} is not in the page`);
      }
      assert.match(
        page,
        /^dapr_runtime_acl_global_policy_action_blocked_total\{app_id="stranger",/m,
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

  describe(`${make}, tokens of an issuer`, () => {
    let mesh: AppMesh<BearerApp>;
    before(async () => {
      mesh = await startAppMesh(executable, bearerApps(issuer));
    });
    after(() => mesh.stop());

    for (const one of bearers) {
      test(`${one.name}${difference(one)}`, () => playCase(mesh, one, make));
    }
  });

  describe(`${make} does not start`, () => {
    for (const one of refusedSetups) {
      test(`${one.name}${difference(one)}`, async () => {
        const wanted = make === 'daprd' ? one.daprd : one;
        const why = await setupFailure(executable, one.setup);
        if (wanted.message === undefined) assert.equal(why, undefined);
        else assert.match(why ?? 'it started', wanted.message);
      });
    }
  });
}

function difference({ daprd }: { readonly daprd?: { readonly why?: string } }): string {
  return daprd?.why === undefined ? '' : `; daprd differs: ${daprd.why}`;
}
