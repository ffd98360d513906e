import assert from 'node:assert/strict';
import { test } from 'node:test';
import { countedRoute } from './counted-route.ts';

const PATHS = [
  '/orders/7',
  '/orders/7/items/8',
  '/orders/new',
  '/files/a/b',
  '/healthz',
  '/v1.0/invoke/shop/method/orders/7',
];

test('without settings verb and path are counted, without the keys of stores', () => {
  const route = countedRoute({ byPath: true, byVerb: true, pathPatterns: [] });
  assert.deepEqual(
    ['/v1.0/state/s/key', '/v1.0/invoke/a/method/state/s/key'].map((path) => route('GET', path)),
    [
      ['GET', '/v1.0/state/s'],
      ['GET', '/v1.0/invoke/a/method/state/s/key'],
    ],
  );
});

test('a pattern may be about what follows a store', () => {
  const pathPatterns = ['/v1.0/state/s/{key}', '/v1.0/secrets/s'];
  const route = countedRoute({ byPath: false, byVerb: true, pathPatterns });
  assert.deepEqual(
    ['/v1.0/state/s/key', '/v1.0/secrets/s/key', '/v1.0/state/t/key'].map(
      (path) => route('GET', path)[1],
    ),
    ['/v1.0/state/s/{key}', '/v1.0/secrets/s', ''],
  );
});

test('paths that match a pattern have its name, the one with more written out first', () => {
  const pathPatterns = ['orders/{id}', '/orders/new', '//files/', '/orders/{id}/items/{item}'];
  assert.deepEqual(shown({ byPath: true, byVerb: true, pathPatterns }), [
    'GET /orders/{id}',
    'GET /orders/{id}/items/{item}',
    'GET /orders/new',
    'GET /files/',
    'GET /healthz',
    'GET /v1.0/invoke/{app_id}/method/orders/{id}',
  ]);
});

test('slashes too many do not count', () => {
  const settings = { byPath: true, byVerb: true };
  const path = '//v1.0//state/s';
  assert.deepEqual(
    [
      countedRoute({ ...settings, pathPatterns: ['/orders'] })('GET', path),
      countedRoute({ ...settings, byVerb: false, pathPatterns: [] })('GET', path),
    ],
    [
      ['GET', '/v1.0/state/s'],
      ['', '/v1.0/state/s'],
    ],
  );
});

test('with paths a pattern that is a store’s key does not tell it apart', () => {
  const pathPatterns = ['/v1.0/state/s/key', '/orders/new'];
  const route = countedRoute({ byPath: true, byVerb: true, pathPatterns });
  assert.deepEqual(
    ['/v1.0/state/s/key', '/orders/new'].map((path) => route('GET', path)[1]),
    ['/v1.0/state/s', '/orders/new'],
  );
});

test('a pattern for a folder is for the folder itself, unless another is for just that', () => {
  const pathPatterns = ['/', '/orders/', '/items/{id}/', '/files/{rest...}', '/{one}', '/a/{$}'];
  const route = countedRoute({ byPath: false, byVerb: true, pathPatterns });
  const paths = ['/orders', '/items/3', '/files', '/files/a', '/a', '/items', '/items/3/4', '/b/c'];
  assert.deepEqual(
    paths.map((path) => route('GET', path)[1]),
    [
      '/{one}',
      '/items/{id}/',
      '/{one}',
      '/files/{rest...}',
      '/{one}',
      '/{one}',
      '/items/{id}/',
      '/',
    ],
  );
  const others = countedRoute({
    byPath: false,
    byVerb: true,
    pathPatterns: ['/', '/orders/', '/files/{rest...}'],
  });
  assert.deepEqual(
    ['/orders', '/files', '/lists'].map((path) => others('GET', path)[1]),
    ['/orders/', '/files/{rest...}', '/'],
  );
});

test('without paths only patterns and what Dapr asks of an application are told apart', () => {
  const pathPatterns = ['/orders/{rest...}', '/files/{$}'];
  assert.deepEqual(shown({ byPath: false, byVerb: false, pathPatterns }), [
    ' /orders/{rest...}',
    ' /orders/{rest...}',
    ' /orders/{rest...}',
    ' ',
    ' /healthz',
    ' /v1.0/invoke/{app_id}/method/orders/{rest...}',
  ]);
});

function shown(settings: Parameters<typeof countedRoute>[0]): string[] {
  const counted = countedRoute(settings)!;
  return PATHS.map((path) => counted('GET', path).join(' '));
}
