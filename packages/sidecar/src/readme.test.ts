import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startMesh } from './testing/start-mesh.ts';

test('the README’s example: a call to another application by its id', async (t) => {
  const { caller } = await startMesh(t, (req, res) => res.end(`charged at ${req.url}`));
  const url = `http://127.0.0.1:${caller.ports.http}/v1.0/invoke/callee/method/charge`;

  assert.equal(await (await fetch(url)).text(), 'charged at /charge');
});
