import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { RPC_CASES, RPC_COMPONENTS } from '../cases/grpc.ts';
import { RPC_INVOCATIONS } from '../cases/grpc-invocations.ts';
import { RPC_ODD } from '../cases/grpc-odd.ts';
import { bothMakes, type Make } from '../makes/both-makes.ts';
import { daprClient, outcome } from '../makes/grpc-client.ts';
import { type Mesh, startMesh } from '../makes/mesh.ts';
import { API_TOKEN } from '../makes/one-sidecar.ts';

await bothMakes(conformance);

function conformance(make: Make, executable: string | undefined): void {
  describe(`${make}, the gRPC API`, () => {
    let mesh: Mesh;
    before(async () => {
      mesh = await startMesh(executable, {
        resources: { 'rpc.yaml': RPC_COMPONENTS, 'rpc-secrets.json': '{"a":"b"}' },
      });
    });
    after(() => mesh.stop());

    for (const one of [...RPC_CASES, ...RPC_INVOCATIONS, ...RPC_ODD]) {
      test(one.name, async () => {
        const client = daprClient(mesh.grpcPort('caller'));
        const seen = await outcome((o) => one.call(client, o), one.shown);
        const { daprd } = one;
        if (make !== 'daprd' || daprd === undefined) assert.deepEqual(seen, one.want);
        else if (daprd.or?.test(JSON.stringify(seen)) !== true) assert.deepEqual(seen, daprd.want);
      });
    }

    test('who does not know the token is told', async () => {
      const client = daprClient(mesh.grpcPort('secured'));
      const words = async (token?: string) => {
        const headers = token === undefined ? {} : { 'dapr-api-token': token };
        const seen = await outcome(async (o) => {
          const { id } = await client.getMetadata({}, { ...o, headers });
          return id;
        });
        return seen as { answer?: string; code?: number; details?: { metadata: object }[] };
      };
      const none = await words();
      const wrong = await words('wrong');
      const right = await words(API_TOKEN);
      assert.deepEqual(
        [none.code, none.details?.[0]?.metadata, wrong.code, wrong.details?.[0]?.metadata, right],
        [
          16,
          { 'http.code': '401', 'http.error_message': 'missing api token in request metadata' },
          16,
          { 'http.code': '401', 'http.error_message': 'authentication error: api token mismatch' },
          { answer: 'secured' },
        ],
      );
    });

    test('a message over the limit is refused in words that clients look for, and the next is not', async () => {
      const client = daprClient(mesh.grpcPort('caller'));
      const save = (bytes: number) =>
        outcome((o) => {
          const states = [{ key: 'large', value: Buffer.alloc(bytes, 'x') }];
          return client.saveState({ storeName: 'lite', states }, o);
        });
      const limit = 4 * 1024 * 1024;
      assert.deepEqual(
        [await save(limit), await save(1)],
        [
          {
            code: 8,
            message: `grpc: received message larger than max (${limit + 23} vs. ${limit})`,
          },
          { answer: {} },
        ],
      );
    });

    test('what was written over one protocol is read over the other', async () => {
      const client = daprClient(mesh.grpcPort('caller'));
      const url = `http://127.0.0.1:${mesh.port('caller')}/v1.0/state/lite`;
      const states = [{ key: 'over-grpc', value: Buffer.from('hello') }];
      await client.saveState({ storeName: 'lite', states });
      await fetch(url, { method: 'POST', body: '[{"key":"over-http","value":{"a":1}}]' });
      const { data } = await client.getState({ storeName: 'lite', key: 'over-http' });
      assert.deepEqual(
        [await (await fetch(`${url}/over-grpc`)).text(), Buffer.from(data).toString()],
        ['hello', '{"a":1}'],
      );
    });
  });
}
