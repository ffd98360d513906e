import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { baggageCases } from '../cases/baggage.ts';
import { endpointHeaders } from '../cases/endpoint-headers.ts';
import { rpcTyped } from '../cases/grpc-typed.ts';
import { ODD_APPS, type OddApp, type OddCase } from '../cases/odd-apps.ts';
import { oddEvents } from '../cases/odd-events.ts';
import { oddHeads } from '../cases/odd-heads.ts';
import { type AppMesh, startAppMesh } from '../makes/app-mesh.ts';
import { bothMakes, type Make } from '../makes/both-makes.ts';
import { daprClient, outcome } from '../makes/grpc-client.ts';
import { API_TOKEN } from '../makes/one-sidecar.ts';
import { playCase } from '../makes/play-case.ts';

await bothMakes(oddRequests);

function oddRequests(make: Make, executable: string | undefined): void {
  describe(`${make}, odd requests`, () => {
    let mesh: AppMesh<OddApp>;
    before(async () => {
      mesh = await startAppMesh(executable, ODD_APPS);
    });
    after(() => mesh?.stop());

    for (const one of [...oddHeads, ...baggageCases, ...endpointHeaders, ...oddEvents]) {
      const differs = one.daprd === undefined ? '' : `; daprd differs: ${one.daprd.why}`;
      test(`${one.name}${differs}`, () => playCase(mesh, placed(one, mesh.app.port), make));
    }

    for (const one of rpcTyped) {
      test(`gRPC: ${one.name}`, async () => {
        const client = daprClient(mesh.grpcPort('caller'));
        assert.deepEqual(await outcome((o) => one.call(client, o), one.shown), one.want);
      });
    }

    test('gRPC: where there are no traces, the client’s goes on in the form that applications know', async () => {
      const ids = '0af7651916cd43dd8448eb211c80319c b7ad6b7169203331'.split(' ');
      const bin = Buffer.from(`0000${ids[0]}01${ids[1]}0201`, 'hex').toString('base64');
      const headers = { 'dapr-api-token': API_TOKEN, 'grpc-trace-bin': bin };
      const message = { method: 'h', httpExtension: { verb: 1 as const } };
      const client = daprClient(mesh.grpcPort('secured'));
      const { data } = await client.invokeService({ id: 'secured', message }, { headers });
      const seen = JSON.parse(Buffer.from(data!.value).toString());
      assert.equal(seen.headers.traceparent, `00-${ids.join('-')}-01`);
    });
  });
}

/** `$APP` in a path is the application's port, which is known late. */
const placed = (one: OddCase, port: number): OddCase => ({
  ...one,
  send: JSON.parse(JSON.stringify(one.send).replaceAll('$APP', String(port))),
});
