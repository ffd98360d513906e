import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withFieldNames } from './field-names.ts';

test('fields in another case are those of Dapr, in maps and lists of them', () => {
  const endpoint = {
    kind: 'HTTPEndpoint',
    METADATA: { Name: 'outside' },
    spec: {
      baseURL: 'https://x',
      clientTls: { rootca: { value: 'pem' } },
      headers: [{ Name: 'X-Mine', secretkeyref: { NAME: 'a', key: 'b' } }],
    },
  };

  assert.deepEqual(withFieldNames(endpoint, 'HTTPEndpoint'), {
    kind: 'HTTPEndpoint',
    metadata: { name: 'outside' },
    spec: {
      baseUrl: 'https://x',
      clientTLS: { rootCA: { value: 'pem' } },
      headers: [{ name: 'X-Mine', secretKeyRef: { name: 'a', key: 'b' } }],
    },
  });
});

test('a field as it should be wins over one in another case', () => {
  const spec = { IgnoreErrors: false, ignoreErrors: true, type: 'state.sqlite' };

  assert.deepEqual(withFieldNames({ kind: 'Component', spec }, 'Component').spec, {
    ignoreErrors: true,
    type: 'state.sqlite',
  });
});

test('names of the user’s own, and other kinds, stay as they are', () => {
  const subscription = { kind: 'Subscription', spec: { metadata: { RawPayload: 'true' } } };
  const resiliency = { kind: 'Resiliency', Spec: {} };

  assert.deepEqual(
    [withFieldNames(subscription, 'Subscription'), withFieldNames(resiliency, 'Resiliency')],
    [subscription, resiliency],
  );
});
