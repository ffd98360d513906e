import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse } from 'yaml';
import { Place } from '../resources/place.ts';
import { apiOfGrpcMethod } from './api-of-grpc-method.ts';
import { apiOfPath } from './api-of-path.ts';
import { offersApi } from './api-rules.ts';
import { readApiRules } from './read-api-rules.ts';

test('a list of what is denied closes that alone, by its group or by the beginning of its path', () => {
  const rules =
    'denied: [{ name: state, version: v1, protocol: http }, { name: pub, version: v1.0, protocol: HTTP }]';
  assert.deepEqual(
    offered(rules, [
      '/v1.0/state/s/k',
      '/v1.0-alpha1/state/s/query',
      '/v1.0/publish/p/t',
      '/v1.0-alpha1/publish/bulk/p/t',
      '/v1.0/healthz',
      '/anything',
    ]),
    [false, true, false, true, true, true],
  );
});

test('a list of what is allowed closes all the rest but health', () => {
  const rules = 'allowed: [{ name: invoke, version: v1.0, protocol: http }]';
  assert.deepEqual(
    offered(rules, [
      '/v1.0/invoke/a/method/m',
      '/by/header',
      '/v1.0/metadata',
      '/v1.0/healthz/outbound',
    ]),
    [true, true, false, true],
  );
});

test('what is denied is denied, also where it is allowed; the other protocol’s rules do not count', () => {
  const rules = `{ allowed: [{ name: state, version: v1.0, protocol: http }, { name: secrets, version: v1, protocol: grpc }],
    denied: [{ name: state, version: v1, protocol: grpc }] }`;
  assert.deepEqual(offered(rules, ['/v1.0/state/s/k', '/v1.0/secrets/s/k']), [true, false]);
  const { rules: read } = readApiRules(parse(rules), new Place('c.yaml', ['spec', 'api']));
  const ask = (method: string) =>
    offersApi(read!, apiOfGrpcMethod(`/dapr.proto.runtime.v1.Dapr/${method}`)!, 'grpc');
  assert.deepEqual(['GetState', 'GetBulkSecret', 'PublishEvent', 'NotThereYet'].map(ask), [
    false,
    true,
    false,
    false,
  ]);
  assert.equal(apiOfGrpcMethod('/shop.Orders/Place'), undefined);
});

test('bulk publishing can be closed alone', () => {
  const rules = 'denied: [{ name: publish/bulk, version: v1.0, protocol: http }]';
  assert.deepEqual(offered(rules, ['/v1.0/publish/bulk/p/t', '/v1.0/publish/p/bulk']), [
    false,
    true,
  ]);
});

test('a rule without effect, or with more than is meant, is told with its place', () => {
  const text = `{ allowed: [{ name: state, version: v1.0 }, { name: state, version: "1.0", protocol: http }],
    denied: [{ version: v1.0, protocol: http }, { name: state, version: v1.0-alpha1, protocol: grpc }] }`;
  assert.deepEqual(readApiRules(parse(text), new Place('c.yaml', ['spec', 'api'])).warnings, [
    'c.yaml: spec.api.allowed[0].protocol is "", so the rule has no effect; write http or grpc.',
    'c.yaml: spec.api.allowed[1].version is "1.0", which no API has; write v1.0, v1.0-alpha1 or v1.0-beta1.',
    'c.yaml: spec.api.denied[0].name is missing, so the rule is about all APIs of v1.0; write one, say "state".',
    'c.yaml: spec.api.denied[1].version is "v1.0-alpha1", which no API of gRPC has, so the rule has no effect; write v1alpha1.',
  ]);
  assert.throws(() => readApiRules({ denied: 'state' }, new Place('c.yaml', ['spec', 'api'])), {
    code: 'CONFIGURATION',
    message: 'c.yaml: spec.api.denied must be a list of { name, version, protocol }.',
  });
});

function offered(text: string, paths: readonly string[]): readonly boolean[] {
  const { rules } = readApiRules(parse(text), new Place('c.yaml', ['spec', 'api']));
  return paths.map((path) => offersApi(rules!, apiOfPath(path), 'http'));
}
