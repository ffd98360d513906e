import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ComponentSettings } from '../components/component-settings.ts';
import type { Verdict } from './middleware.ts';
import { routerChecker } from './router-checker.ts';

test('a rule looks at the path as it was written, and at the query', () => {
  const rule = '^/v1.0/invoke/[a-z]+/method/[A-Za-z0-9/?=&]*$';
  assert.deepEqual(
    [
      '/v1.0/invoke/shop/method/a',
      '/v1.0/invoke/shop/method/a?b=1',
      '/v1.0/invoke/shop/method/%61?b=1',
      '/v1.0/invoke/shop/method/a%2Fb',
      '/v1.0/invoke/shop/method/a;b',
      '/v1.0/state/s/k',
    ].map((path) => verdict(rule, path)),
    ['pass', 'pass', ...Array(4).fill('400 invalid router')],
  );
});

test('what should have been escaped is looked at as Go writes it', () => {
  // Asked of Go itself: path on the wire, and what its rule is shown.
  for (const [path, shown] of [
    ['/a%20b', '/a%20b'],
    ['/%61', '/%61'],
    ['/e|1', '/e%7C1'],
    ['/"x', '/%22x'],
    ['/\xc3\xbc', '/%C3%BC'],
    ['/a;b', '/a;b'],
    ['/a[1]', '/a[1]'],
    ['/a{1}', '/a%7B1%7D'],
    ['/x%7Cy|', '/x%7Cy%7C'],
    ['/a?', '/a?'],
    ['/a?q=%41?b', '/a?q=%41?b'],
  ] as const) {
    const quoted = shown.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&');
    assert.equal(verdict(`^${quoted}$`, path), 'pass', path);
  }
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
