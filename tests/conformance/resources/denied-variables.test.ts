import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startAppMesh } from '../makes/app-mesh.ts';
import { bothMakes } from '../makes/both-makes.ts';

const VARIABLES = { HOLDFAST_FINE: 'fine', DAPR_HOLDFAST: 'secret', APP_API_TOKEN: 'secret' };
const names = [...Object.keys(VARIABLES), 'dapr_holdfast'];

const ENDPOINTS = names.map(
  (name, at) => `apiVersion: dapr.io/v1alpha1
kind: HTTPEndpoint
metadata: { name: out${at} }
spec: { baseUrl: "http://127.0.0.1:$APP", headers: [{ name: x-given, envRef: ${name} }] }
`,
);

await bothMakes((make, executable) => {
  test(`${make}, a resource cannot refer to the variables that are the sidecar's own`, async (t) => {
    Object.assign(process.env, VARIABLES, { dapr_holdfast: 'secret' });
    t.after(() => {
      for (const name of names) delete process.env[name];
    });
    const resources = { 'endpoints.yaml': ENDPOINTS.join('---\n') };
    const mesh = await startAppMesh(executable, { caller: { resources } });
    t.after(() => mesh.stop());
    const given = names.map(async (_, at) => {
      const url = `http://127.0.0.1:${mesh.port('caller')}/v1.0/invoke/out${at}/method/x`;
      const answer = await fetch(url);
      if (!answer.ok) return 'left out';
      const { headers } = (await answer.json()) as { headers: Record<string, string> };
      return headers['x-given'];
    });
    // Where daprd sends nothing in its place, ours does without the endpoint, as for one that is not set.
    const none = make === 'daprd' ? '' : 'left out';
    assert.deepEqual(await Promise.all(given), ['fine', none, none, none]);
  });
});
