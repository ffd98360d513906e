import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse } from 'yaml';
import { Place } from '../resources/place.ts';
import { readAccessList } from './read-access-list.ts';

test('a list that cannot be in force says where and what to write', () => {
  const messages = [
    '[]',
    'policies: deny',
    'policies: [till]',
    'policies: [{ trustDomain: public, namespace: default }]',
    'policies: [{ appId: till, namespace: default }]',
    'policies: [{ appId: till, trustDomain: public }]',
    'policies: [{ appId: till, trustDomain: p, namespace: n, operations: [{ action: allow }] }]',
    'policies: [{ appId: till, trustDomain: p, namespace: n, operations: [{ name: /x, httpVerb: GET }] }]',
  ].map((text) => {
    try {
      readAccessList(parse(text), new Place('acl.yaml', ['spec', 'accessControl']));
      return 'read';
    } catch (error) {
      return (error as Error).message.replace('acl.yaml: spec.accessControl', '…');
    }
  });
  assert.deepEqual(messages, [
    '… must be a map with defaultAction and policies.',
    '….policies must be a list of apps and what they may call.',
    '….policies[0] must be a map with appId.',
    '….policies[0].appId is missing; write the id of the app that calls.',
    '….policies[0].trustDomain is missing; write the trust domain of its certificate, say "public".',
    '….policies[0].namespace is missing; write the namespace of the app that calls, say "default".',
    '….policies[0].operations[0].name is missing; write an operation, say "/orders/*".',
    '….policies[0].operations[0].httpVerb must be a list of verbs, say [GET, POST] or ["*"].',
  ]);
});

test('a default action that is empty denies, where there is anything else to the list', () => {
  const read = (text: string) =>
    readAccessList(parse(text), new Place('acl.yaml', ['spec', 'accessControl']));
  const { list, warnings } = read('defaultAction: ""');
  assert.deepEqual(
    [list?.defaultAction, warnings],
    [
      'deny',
      [
        'acl.yaml: spec.accessControl.defaultAction is empty, which denies; write "allow" or "deny".',
      ],
    ],
  );
  const policies = 'policies: [{ appId: till, trustDomain: p, namespace: n }]';
  assert.deepEqual(
    [
      `{ defaultAction: "", ${policies} }`,
      '{ defaultAction: "", policies: [] }',
      '{ defaultAction: "", trustDomain: "" }',
      `{ defaultAction: null, ${policies} }`,
    ].map((text) => read(text).list?.defaultAction),
    ['deny', 'allow', undefined, 'allow'],
  );
});

test('what is hardly meant so is in force as daprd has it, with a warning', () => {
  const text = `
defaultAction: perhaps
policies:
  - { appId: till, trustDomain: p, namespace: n, defaultAction: ALLOW, operations: [
      { name: /x, httpVerb: [get], action: alow }, { name: /y, action: allow }, { name: /z, httpVerb: [GET] },
      { name: "/a/*/b", httpVerb: [GET], action: allow } ] }
  - { appId: till, trustDomain: p, namespace: n }
`;
  const { list, warnings } = readAccessList(
    parse(text),
    new Place('acl.yaml', ['spec', 'accessControl']),
  );
  assert.deepEqual(
    [list?.defaultAction, warnings.map((one) => one.replace('acl.yaml: spec.accessControl', '…'))],
    [
      'deny',
      [
        '….defaultAction is "perhaps", which denies; write "allow" or "deny".',
        '….policies[0].operations[0].action is "alow", which denies; write "allow" or "deny".',
        '….policies[0].operations[0].httpVerb: "get" is no verb; write GET.',
        '….policies[0].operations[1] has no httpVerb, so it has no effect; write ["*"] for all verbs.',
        '….policies[0].operations[2].action is missing, which denies; write "allow" or "deny".',
        '….policies[0].operations[3] has no effect: a segment that is a star counts at the end only; write "/**" for all that follows.',
        '….policies[1] replaces an earlier policy of the same app and namespace; join them.',
      ],
    ],
  );
});

test('no list, no door', () => {
  assert.deepEqual(readAccessList(undefined, new Place('acl.yaml', ['spec', 'accessControl'])), {
    list: undefined,
    warnings: [],
  });
});
