import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatSpiffeId, parseSpiffeId } from './spiffe-id.ts';

test('what stands behind the app is kept, and is no part of its name', () => {
  const text = 'spiffe://public/ns/default/till/unit/7';
  const id = parseSpiffeId(text)!;
  assert.deepEqual(id, {
    trustDomain: 'public',
    namespace: 'default',
    appId: 'till',
    further: '/unit/7',
  });
  assert.equal(formatSpiffeId(id), text);
});

test('what could be read in two ways is no id', () => {
  const odd = ['/', '//x', '/x/', '/..', '/a b', '/x?y', '/x#y'];
  for (const further of odd) {
    assert.equal(parseSpiffeId(`spiffe://public/ns/default/till${further}`), undefined, further);
  }
  for (const text of ['spiffe://public/ns/default', 'spiffe://public/nt/default/till']) {
    assert.equal(parseSpiffeId(text), undefined, text);
  }
});
