import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Resource } from './resource-files.ts';
import { standingOf } from './standing.ts';

test('a store could be had by all where its scopes were a text', () => {
  const scopes = [undefined, null, [], ['one'], ['two'], 'one', [5], { one: true }];

  assert.deepEqual(
    scopes.map((of) => standing({ scopes: of }).kind),
    ['ours', 'ours', 'ours', 'ours', 'others', 'unclear', 'unclear', 'unclear'],
  );
});

test('a kind of that name in a version of others is none of ours', () => {
  const versions = [undefined, 'dapr.io/v1alpha1', 'dapr.io/v2alpha1', 'core.oam.dev/v1beta1'];

  assert.deepEqual(
    ['Component', 'Subscription'].map((kind) =>
      versions.map((apiVersion) => standing({ kind, apiVersion }).kind),
    ),
    [
      ['ours', 'ours', 'foreign', 'foreign'],
      ['ours', 'ours', 'ours', 'foreign'],
    ],
  );
  assert.deepEqual(standing({ kind: 'Component', apiVersion: 'v1' }), {
    kind: 'foreign',
    why: 'apiVersion is "v1"; write dapr.io/v1alpha1',
  });
});

test('of another namespace it is others’, where this sidecar is in one', () => {
  const metadata = { namespace: 'there' };

  assert.deepEqual(
    ['', 'here', 'there'].map((own) => standing({ metadata }, own).kind),
    ['ours', 'others', 'ours'],
  );
});

function standing(document: Readonly<Record<string, unknown>>, namespace = '') {
  const { kind = 'Component' } = document as { kind?: string };
  const resource: Resource = { file: 'a.yaml', line: 1, kind, document, locate: () => undefined };
  return standingOf(resource, { appId: 'one', namespace });
}
