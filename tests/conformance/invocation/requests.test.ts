import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { eventually } from '@holdfast/test-servers';
import { sendRaw } from '../../../packages/sidecar/src/testing/raw-http.ts';
import { absentApis } from '../cases/absent-apis.ts';
import { failures } from '../cases/failures.ts';
import { otherApis } from '../cases/other-apis.ts';
import { policies } from '../cases/policies.ts';
import { urlForms } from '../cases/url-forms.ts';
import { verbsAndHeaders } from '../cases/verbs-and-headers.ts';
import { bothMakes, type Make } from '../makes/both-makes.ts';
import { type Mesh, startMesh } from '../makes/mesh.ts';
import { playCase } from '../makes/play-case.ts';

const tables = { urlForms, verbsAndHeaders, failures, policies, otherApis, absentApis };
await bothMakes(conformance);

function conformance(make: Make, executable: string | undefined): void {
  describe(`${make} answers`, { concurrency: 8 }, () => {
    let mesh: Mesh;
    before(async () => {
      mesh = await startMesh(executable);
    });
    after(() => mesh.stop());

    for (const [table, cases] of Object.entries(tables)) {
      for (const one of cases) {
        const differs = one.daprd === undefined ? '' : `; daprd differs: ${one.daprd.why}`;
        test(`${table}: ${one.name}${differs}`, () => playCase(mesh, one, make));
      }
    }
  });

  describe(`${make} ends`, () => {
    let mesh: Mesh;
    before(async () => {
      mesh = await startMesh(executable);
    });
    after(() => mesh.stop());

    test('the metrics have the families and labels of Dapr', () => metricsCase(mesh));

    test('shutdown answers 204 and ends the sidecar', async () => {
      const answer = await sendRaw(mesh.port('callee'), { method: 'POST', path: '/v1.0/shutdown' });
      await mesh.ended('callee');
      const later = await sendRaw(mesh.port('callee'), { path: '/v1.0/healthz' });
      assert.deepEqual([answer.status, answer.body, later.status], [204, '', 0]);
    });
  });
}

async function metricsCase(mesh: Mesh): Promise<void> {
  const path = '/v1.0/invoke/callee.broken/method/m';
  for (let count = 0; count < 4; count += 1) {
    await sendRaw(mesh.port('caller'), { path: `${path}?status=500` });
  }
  await sendRaw(mesh.port('caller'), { path: '/v1.0/invoke/callee.retried/method/m3?status=503' });
  await sendRaw(mesh.port('caller'), { path: '/v1.0/invoke/callee/method/m2' });
  const text = `${await seriesText(mesh, 'caller', 'method/m2')}\n${await seriesText(mesh, 'callee', '"/m2"')}`;
  const series = [
    'dapr_http_client_completed_count{app_id="callee",method="GET",path="/m2",status="200"} 1',
    'dapr_http_server_request_count{app_id="caller",method="GET",path="/v1.0/invoke/callee/method/m2",status="200"} 1',
    'dapr_http_server_response_count{app_id="caller",method="GET",path="/v1.0/invoke/callee/method/m2",status="200"} 1',
    // Attempts, not requests, and by app id without namespace: 3 before the circuit opens, 3 of the retried call, 1.
    'dapr_runtime_service_invocation_req_sent_total{app_id="caller",dst_app_id="callee",type="unary"} 7',
    'dapr_runtime_service_invocation_res_recv_total{app_id="caller",src_app_id="callee",status="200",type="unary"} 1',
    'dapr_runtime_service_invocation_res_recv_total{app_id="caller",src_app_id="callee",status="503",type="unary"} 3',
    'dapr_resiliency_loaded{app_id="caller",name="conformance",namespace="',
    'dapr_resiliency_cb_state{app_id="caller",flow_direction="outbound",name="conformance",namespace="',
  ];
  assert.deepEqual(
    series.filter((one) => !text.includes(one)),
    [],
    `missing in:\n${text
      .split('\n')
      .filter((line) => line.startsWith('dapr_r') || line.startsWith('dapr_http_server_request_c'))
      .join('\n')}`,
  );
}

/** daprd counts a moment after it has answered. */
async function seriesText(mesh: Mesh, app: 'caller' | 'callee', awaited: string): Promise<string> {
  return eventually(
    async () => (await fetch(`http://127.0.0.1:${mesh.metricsPort(app)}/metrics`)).text(),
    (text) => text.includes(awaited),
    `${awaited} is counted`,
  );
}
