import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ComponentSettings } from '../components/component-settings.ts';
import type { Verdict } from './middleware.ts';
import { routerChecker } from './router-checker.ts';

test('a rule looks at the path without escapes, and at the query', () => {
  const rule = '^/v1.0/invoke/[a-z]+/method/[A-Za-z0-9/?=&]*$';
  assert.deepEqual(
    [
      '/v1.0/invoke/shop/method/a',
      '/v1.0/invoke/shop/method/%61?b=1',
      '/v1.0/invoke/shop/method/a;b',
      '/v1.0/state/s/k',
    ].map((path) => verdict(rule, path)),
    ['pass', 'pass', '400 invalid router', '400 invalid router'],
  );
});

test('a rule may be written as Go’s expressions are', () => {
  assert.deepEqual(
    [
      verdict('(?i)^/HELLO', '/hello'),
      verdict('\\A/(?P<one>a)\\z', '/a'),
      verdict('\\A/a\\z', '/ab'),
    ],
    ['pass', 'pass', '400 invalid router'],
  );
});

test('no rule, or one that is no expression, is named', () => {
  assert.throws(() => routerChecker(new ComponentSettings('check', [])), {
    message: 'component check: metadata rule is missing',
  });
  assert.throws(() => verdict('([', '/'), {
    message: /metadata rule must be a regular expression, not "\(\["/,
  });
});

function verdict(rule: string, path: string): string {
  const { judge } = routerChecker(new ComponentSettings('check', [['rule', rule]]));
  const said = judge?.({ method: 'GET', path, headers: [], from: undefined }) as Verdict;
  return said.kind === 'pass' ? 'pass' : `${said.status} ${said.body}`;
}
