import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type AppMesh, type AppSetup, startAppMesh } from '../makes/app-mesh.ts';
import { bothMakes, type Make } from '../makes/both-makes.ts';

const OUTSIDE = `apiVersion: dapr.io/v1alpha1
kind: HTTPEndpoint
metadata: { name: outside }
spec: { baseUrl: "http://127.0.0.1:$APP" }
`;
const APPS = {
  caller: { resources: { 'outside.yaml': OUTSIDE } },
  callee: {},
  shut: { spec: 'accessControl: { defaultAction: deny }' },
} as const satisfies Record<string, AppSetup>;

await bothMakes(conformance);

/** What is counted of invocations, on either side of them. */
function conformance(make: Make, executable: string | undefined): void {
  describe(`${make}, how invocations are counted`, () => {
    let mesh: AppMesh<keyof typeof APPS>;
    before(async () => {
      mesh = await startAppMesh(executable, APPS);
    });
    after(() => mesh.stop());

    test('of another app: at the caller and at the callee, whether it is let in, and its application', async () => {
      await call('callee', 'well', 200);
      await call('callee', 'away?status=404', 404);
      await call('shut', 'closed', 403);
      assert.deepEqual(
        await counted('caller', /invocation_(req_sent|res_recv)_total.*"(callee|shut)"/),
        [
          'req_sent_total{dst_app_id="callee",type="unary"} 2',
          'req_sent_total{dst_app_id="shut",type="unary"} 1',
          'res_recv_total{src_app_id="callee",status="200",type="unary"} 1',
          'res_recv_total{src_app_id="callee",status="404",type="unary"} 1',
        ],
      );
      assert.deepEqual(await counted('callee', /invocation_(req_recv|res_sent)|acl/), [
        'acl_global_policy_action_allowed_total{namespace="",trustDomain=""} 2',
        'req_recv_total{src_app_id="caller"} 2',
        'res_sent_total{dst_app_id="caller",status="200"} 1',
        'res_sent_total{dst_app_id="caller",status="404"} 1',
      ]);
      assert.deepEqual(await counted('shut', /invocation_(req_recv|res_sent)|acl/), [
        'acl_global_policy_action_blocked_total{namespace="",trustDomain=""} 1',
      ]);
    });

    test('an application that gives no answer counts as 500, the own one and another', async () => {
      await call('caller', 'own?die=now', 500);
      await call('callee', 'other?die=now', 500);
      const died = (app: 'caller' | 'callee') =>
        counted(app, /http_client_completed_count.*path="\/(own|other)"/);
      const of = (path: string) => [
        `http_client_completed_count{method="GET",path="/${path}",status="500"} 1`,
      ];
      assert.deepEqual([await died('caller'), await died('callee')], [of('own'), of('other')]);
    });

    test('of an address outside, by its endpoint or its URL: as an invocation, and as HTTP', async () => {
      await call('outside', 'one?status=201', 201);
      await call('outside', 'two?die=now', 500);
      const url = `http://127.0.0.1:${mesh.app.port}`;
      await call(encodeURIComponent(url), 'three', 200);
      const about = /invocation_(req_sent|res_recv)_total.*"(outside|http:.*)"/;
      assert.deepEqual(await counted('caller', about), [
        `req_sent_total{dst_app_id="${url}",type="unary"} 1`,
        'req_sent_total{dst_app_id="outside",type="unary"} 2',
        `res_recv_total{src_app_id="${url}",status="200",type="unary"} 1`,
        'res_recv_total{src_app_id="outside",status="201",type="unary"} 1',
      ]);
      assert.deepEqual(
        await counted('caller', /http_client_completed_count.*path="\/(one|two|three)"/),
        [
          'http_client_completed_count{method="GET",path="/one",status="201"} 1',
          'http_client_completed_count{method="GET",path="/three",status="200"} 1',
          'http_client_completed_count{method="GET",path="/two",status="500"} 1',
        ],
      );
    });

    async function call(app: string, method: string, status: number): Promise<void> {
      const at = `http://127.0.0.1:${mesh.port('caller')}/v1.0/invoke/${app}/method/${method}`;
      const answer = await fetch(at);
      assert.equal(answer.status, status, await answer.text());
    }

    /** Without what they begin with, and whose they are. */
    async function counted(app: keyof typeof APPS, which: RegExp): Promise<readonly string[]> {
      const page = await fetch(`http://127.0.0.1:${mesh.metricsPort(app)}/`);
      const lines = (await page.text()).split('\n').filter((line) => !line.startsWith('#'));
      return lines
        .filter((line) => which.test(line))
        .map((line) => line.replace(/^dapr_(?:runtime_(?:service_invocation_)?)?/, ''))
        .map((line) => line.replace(/\{app_id="[^"]*",/, '{'))
        .sort();
    }
  });
}
