import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Place } from '../resources/place.ts';
import { AccessGate } from './access-gate.ts';
import { readAccessList } from './read-access-list.ts';

const CALLER = { appId: 'till', namespace: 'default', trustDomain: 'public' };

test('a path that names no operation is not let in, whatever the list allows, and everything is counted once', () => {
  const { ask, counted } = gate({ defaultAction: 'allow' });
  assert.deepEqual(
    [ask('/a/../b'), ask('/a%2F..%2Fb'), ask('/a'), ask('/a%2Fb')],
    ['a/../b', 'a%2F..%2Fb', undefined, undefined].map((operation) =>
      operation === undefined
        ? undefined
        : `access control policy has denied access to id: spiffe://public/ns/default/till operation: ${operation} verb: GET`,
    ),
  );
  assert.deepEqual(counted, ['blocked', 'blocked', 'allowed', 'allowed']);
});

test('a name beside the path is looked at as well as the path', () => {
  const operations = [{ name: '/open/**', httpVerb: ['*'], action: 'allow' }];
  const who = { appId: 'till', trustDomain: 'public', namespace: 'default' };
  const policies = [{ ...who, defaultAction: 'deny', operations }];
  const { ask } = gate({ defaultAction: 'deny', policies });
  const named = (name: string) => ask('/open/a', ['holdfast-grpc-method', name]) === undefined;
  assert.deepEqual(
    [named('open%2Fa'), named('open%2Fa%252Fb'), named('closed'), named('%')],
    [true, true, false, true],
  );
});

test('without a list everybody is let in, and counted', () => {
  const { ask, counted } = gate(undefined);
  assert.deepEqual(
    [ask('/a/../b'), ask('/a'), counted],
    [undefined, undefined, ['allowed', 'allowed']],
  );
});

function gate(list: object | undefined) {
  const counted: string[] = [];
  const read = readAccessList(list, new Place('c.yaml'));
  const access = new AccessGate(read.list, ({ allowed }) => {
    counted.push(allowed ? 'allowed' : 'blocked');
  });
  return {
    counted,
    ask: (path: string, headers: readonly string[] = []) =>
      access.refusal({ callerId: CALLER, method: 'GET', path, headers }),
  };
}
