import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { sendRaw } from '../../../packages/sidecar/src/testing/raw-http.ts';
import { type AppMesh, startAppMesh } from '../makes/app-mesh.ts';
import { bothMakes, type Make } from '../makes/both-makes.ts';
import { directInvoke } from '../makes/case.ts';
import { type Sentry, startSentry } from '../makes/sentry.ts';

/** The id of `longer` is one of Dapr's with two segments more. */
const FURTHER = '/unit/7';

const policy = 'appId: longer, namespace: default, trustDomain: public';
const APPS = {
  longer: {},
  shop: {
    spec: `accessControl:
  defaultAction: deny
  policies: [{ ${policy}, defaultAction: deny, operations: [{ name: /open, httpVerb: [GET], action: allow }] }]`,
  },
} as const;

await bothMakes((make: Make, executable: string | undefined) => {
  describe(`${make}, a certificate whose id goes on behind the app`, () => {
    let sentry: Sentry;
    let mesh: AppMesh<keyof typeof APPS>;
    before(async () => {
      sentry = await startSentry({ longer: FURTHER });
      mesh = await startAppMesh(executable, APPS, sentry);
    });
    after(async () => {
      await mesh?.stop();
      await sentry.stop();
    });
    const call = (from: keyof typeof APPS, path: string) =>
      sendRaw(mesh.port(from), { path: `/v1.0/invoke/${path}` });

    test('who calls with it is that app', async () => {
      const open = await call('longer', 'shop/method/open');
      const closed = await call('longer', 'shop/method/closed');
      const why = `access control policy has denied access to id: spiffe://public/ns/default/longer${FURTHER} operation: closed verb: GET`;
      assert.equal(open.status, 200, open.body);
      assert.deepEqual(
        [closed.status, closed.body],
        [403, directInvoke('shop', `rpc error: code = PermissionDenied desc = ${why}`)],
      );
    });

    test('who is called must have the id of an app, and no more', async () => {
      const { body, status } = await call('shop', 'longer/method/x');
      assert.equal(status, 500, body);
      assert.ok(body.includes(`spiffe://public/ns/default/longer${FURTHER}`), body);
    });
  });
});
