import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ComponentSettings } from '../components/component-settings.ts';
import type { Verdict } from './middleware.ts';
import { routeAlias } from './route-alias.ts';

test('a name stands for one segment, an expression for what it finds', () => {
  const routes = {
    '/a.b/{id}': '/one',
    '/n/{id:[0-9]{1,3}}/{rest:.*}': '/two',
    '/g/{kind:(red|blue)}/{id}': '/three',
    '/x/{a}-{b}': '/four',
  };
  assert.deepEqual(
    [
      '/a.b/7',
      '/aXb/7',
      '/a.b/7/8',
      '/n/12/x/y',
      '/n/1234/x',
      '/g/blue/9',
      '/g/grey/9',
      '/x/1-2',
    ].map((path) => aliasOf(routes, path)),
    [
      '/one?id=7',
      undefined,
      undefined,
      '/two?id=12&rest=x%2Fy',
      undefined,
      '/three?id=9&kind=blue',
      undefined,
      '/four?a=1&b=2',
    ],
  );
});

test('routes are JSON or YAML, or items of their own', () => {
  const yaml = new ComponentSettings('names', [['routes', '/a: /b\n/c: /d']]);
  const items = new ComponentSettings('names', [
    ['/A', '/b'],
    ['/c', '/d'],
  ]);
  assert.deepEqual(
    [pathOf(yaml, '/c'), pathOf(items, '/A'), pathOf(items, '/a')],
    ['/d', '/b', undefined],
  );
});

test('what is no alias is named, with what may stand there', () => {
  const messages = [{ a: '/b' }, { '/a': 'b' }, { '/a': '/b?c' }, { '/a/{id:[}': '/b' }].map(
    (routes) => {
      try {
        aliasOf(routes as unknown as Record<string, string>, '/');
        return 'read';
      } catch (error) {
        return (error as Error).message;
      }
    },
  );
  assert.deepEqual(messages.slice(0, 3), [
    'metadata routes: "a" must be a path that begins with "/"',
    'metadata routes: "/a" must lead to a path without a query, not to "b"',
    'metadata routes: "/a" must lead to a path without a query, not to "/b?c"',
  ]);
  assert.match(messages[3]!, /metadata routes: "\/a\/\{id:\[\}" is no pattern of a path: /);
});

function aliasOf(routes: Readonly<Record<string, string>>, path: string): string | undefined {
  return pathOf(new ComponentSettings('names', [['routes', JSON.stringify(routes)]]), path);
}

function pathOf(settings: ComponentSettings, path: string): string | undefined {
  const head = { method: 'GET', path, headers: [], from: undefined };
  const verdict = routeAlias(settings).judge?.(head) as Verdict;
  return verdict.kind === 'pass' ? verdict.path : 'answered';
}
