import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { sendRaw } from '../../../packages/sidecar/src/testing/raw-http.ts';
import { type AppMesh, startAppMesh } from '../makes/app-mesh.ts';
import { bothMakes, type Make } from '../makes/both-makes.ts';

await bothMakes(conformance);

/** As YAML has it without quotes, and the text that is made of it: YAML 1.1, as Go's reader has it. */
const SCALARS: Readonly<Record<string, string>> = {
  yes: 'true',
  Y: 'true',
  on: 'true',
  TRUE: 'true',
  NO: 'false',
  n: 'false',
  Off: 'false',
  '"yes"': 'yes',
  '017': '15',
  '08': '8',
  '0o17': '15',
  '0b11': '3',
  '0x1F': '31',
  '1_000': '1000',
  '-5': '-5',
  '+5': '5',
  '.5': '0.5',
  '1.50': '1.5',
  '1e3': '1000',
  '1e21': '1e+21',
  '12345678901234567890': '12345678901234567890',
  '123456789012345678901234567890': '1.2345678901234568e+29',
  '1:30': '1:30',
  '2001-12-14': '2001-12-14',
  '!!str 5': '5',
  '!!binary aGk=': 'hi',
  '{ b: yes, yes: 1, A: "<" }': '{"A":"\\u003c","b":true,"true":1}',
};

function conformance(make: Make, executable: string | undefined): void {
  describe(`${make}, scalars of resources`, () => {
    let mesh: AppMesh<'caller'>;
    before(async () => {
      const headers = Object.keys(SCALARS).map(
        (given, index) => `{ name: h${index}, value: ${given} }`,
      );
      const endpoint = `
apiVersion: dapr.io/v1alpha1
kind: HTTPEndpoint
metadata: { name: outside }
spec:
  baseUrl: http://127.0.0.1:$APP
  headers:
    - ${[...headers, '{ name: 5, value: five }', '{ name: no, value: "7" }'].join('\n    - ')}
`;
      mesh = await startAppMesh(executable, {
        caller: { resources: { 'outside.yaml': endpoint } },
      });
    });
    after(() => mesh?.stop());

    test('are texts as Go makes them', async () => {
      const path = '/v1.0/invoke/outside/method/x';
      const { headers } = JSON.parse((await sendRaw(mesh.port('caller'), { path })).body);
      assert.deepEqual(
        Object.fromEntries(
          Object.keys(SCALARS).map((given, index) => [given, headers[`h${index}`]]),
        ),
        SCALARS,
      );
      assert.deepEqual([headers['5'], headers.false], ['five', '7']);
    });
  });
}
