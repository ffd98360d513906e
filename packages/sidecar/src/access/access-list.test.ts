import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse } from 'yaml';
import { Place } from '../resources/place.ts';
import { decideAccess } from './access-list.ts';
import { readAccessList } from './read-access-list.ts';

const SHOP = `
defaultAction: deny
policies:
  - { appId: till, trustDomain: public, namespace: default, defaultAction: deny, operations: [
      { name: /orders/*, httpVerb: [GET, POST], action: allow },
      { name: /orders/all/**, httpVerb: ["*"], action: allow },
      { name: Reports, httpVerb: [GET], action: allow },
      { name: "/v*/ping", httpVerb: [GET], action: allow } ] }
  - { appId: admin, trustDomain: public, namespace: default, defaultAction: allow, operations: [
      { name: /wipe, httpVerb: [DELETE], action: deny } ] }
  - { appId: till, trustDomain: public, namespace: test, defaultAction: allow }
  - { appId: quiet, trustDomain: public, namespace: default, operations: [
      { name: /x, httpVerb: [GET], action: allow } ] }
`;

test('an app may call what its policy allows, by operation and verb', () => {
  assert.deepEqual(
    decisions(SHOP, 'till', [
      'GET orders/7',
      'GET orders',
      'POST orders/7',
      'PUT orders/7',
      'GET orders/7/lines',
      'PUT orders/all/a/b',
      'GET reports',
      'GET REPORTS/of/today',
      'GET v2/ping',
      'GET x2/ping',
      'GET ',
    ]),
    {
      'GET orders/7': 'allow, app',
      'GET orders': 'allow, app',
      'POST orders/7': 'allow, app',
      'PUT orders/7': 'deny, app',
      'GET orders/7/lines': 'deny, app',
      'PUT orders/all/a/b': 'allow, app',
      'GET reports': 'allow, app',
      'GET REPORTS/of/today': 'allow, app',
      'GET v2/ping': 'allow, app',
      'GET x2/ping': 'deny, app',
      'GET ': 'deny, app',
    },
  );
});

test('where a policy has no word for a verb or an operation, its default speaks, then the list’s', () => {
  assert.deepEqual(decisions(SHOP, 'admin', ['DELETE wipe', 'GET wipe', 'DELETE other']), {
    'DELETE wipe': 'deny, app',
    'GET wipe': 'allow, app',
    'DELETE other': 'allow, app',
  });
  assert.deepEqual(decisions(SHOP, 'quiet', ['GET x', 'POST x', 'GET y']), {
    'GET x': 'allow, global',
    'POST x': 'deny, global',
    'GET y': 'deny, global',
  });
});

test('who has no certificate, no policy or another trust domain meets the list’s default', () => {
  const { list } = readAccessList(parse(SHOP), new Place('c.yaml', ['spec', 'accessControl']));
  const till = { appId: 'till', namespace: 'default', trustDomain: 'public' };
  const ask = (callerId: typeof till | undefined) =>
    decideAccess(list!, { callerId, operation: 'orders/7', verb: 'GET' });
  assert.deepEqual(
    [
      ask(undefined),
      ask({ ...till, appId: 'stranger' }),
      ask({ ...till, trustDomain: 'elsewhere' }),
      ask({ ...till, namespace: 'test' }),
    ],
    [
      { allowed: false, by: 'global' },
      { allowed: false, by: 'global' },
      { allowed: false, by: 'global' },
      { allowed: true, by: 'app' },
    ],
  );
});

test('for a gRPC application operations are exact and verbs do not count', () => {
  const text = `
policies: [{ appId: till, trustDomain: public, namespace: default, defaultAction: deny, operations: [
  { name: /shop.Orders/Place, action: allow }, { name: /shop.Orders/Drop, httpVerb: [GET], action: deny }] }]`;
  const { list } = readAccessList(
    parse(text),
    new Place('c.yaml', ['spec', 'accessControl']),
    'grpc',
  );
  const callerId = { appId: 'till', namespace: 'default', trustDomain: 'public' };
  const ask = (operation: string) => decideAccess(list!, { callerId, operation, verb: undefined });
  assert.deepEqual(
    ['shop.Orders/Place', 'shop.orders/place', 'shop.Orders/Drop'].map((one) => ask(one).allowed),
    [true, false, false],
  );
});

test('of operations that fit, the first in the file is taken, and a name is for all below it', () => {
  const text = `
policies: [{ appId: till, trustDomain: public, namespace: default, defaultAction: deny, operations: [
  { name: "/a/*", httpVerb: ["*"], action: allow }, { name: /a/secret, httpVerb: ["*"], action: deny },
  { name: /b, httpVerb: ["*"], action: allow }, { name: /b/secret, httpVerb: ["*"], action: deny } ] }]`;
  assert.deepEqual(decisions(text, 'till', ['GET a/secret', 'GET b/secret']), {
    'GET a/secret': 'allow, app',
    'GET b/secret': 'allow, app',
  });
  assert.deepEqual(
    readAccessList(parse(text), new Place('c.yaml', ['spec', 'accessControl'])).warnings,
    [
      'c.yaml: spec.accessControl.defaultAction is missing, so apps without a policy are allowed everything; write "deny" where only those listed may call.',
      'c.yaml: spec.accessControl.policies[0].operations[1] has no effect: an operation above it or before it is for /a/secret too.',
      'c.yaml: spec.accessControl.policies[0].operations[3] has no effect: an operation above it or before it is for /b/secret too.',
    ],
  );
});

function decisions(text: string, appId: string, calls: readonly string[]): Record<string, string> {
  const { list } = readAccessList(parse(text), new Place('c.yaml', ['spec', 'accessControl']));
  const callerId = { appId, namespace: 'default', trustDomain: 'public' };
  return Object.fromEntries(
    calls.map((call) => {
      const [verb, operation = ''] = call.split(' ');
      const { allowed, by } = decideAccess(list!, { callerId, operation, verb });
      return [call, `${allowed ? 'allow' : 'deny'}, ${by}`];
    }),
  );
}
