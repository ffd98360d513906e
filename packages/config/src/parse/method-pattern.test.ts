import assert from 'node:assert/strict';
import { test } from 'node:test';
import { byExactness, type MethodPattern, methodMatches, parseMethod } from './method-pattern.ts';

test('a method is a path, with or without a verb', () => {
  assert.deepEqual(['orders', '/orders/', 'get  /orders/*', '**', '/'].map(parseMethod), [
    { verb: undefined, segments: ['orders'] },
    { verb: undefined, segments: ['orders'] },
    { verb: 'GET', segments: ['orders', '*'] },
    { verb: undefined, segments: ['**'] },
    { verb: undefined, segments: [] },
  ]);
  assert.deepEqual(
    ['GET POST /x', 'G3T /x', '/x?y=1', '/**/x'].map((text) => 'fault' in parseMethod(text)),
    [true, true, true, true],
  );
});

test('a star is one segment, two at the end are any number of them', () => {
  const matching = (pattern: string, paths: readonly string[]) =>
    paths.filter((path) => methodMatches(parseMethod(pattern) as MethodPattern, 'GET', path));
  const paths = ['', 'orders', '/orders/', 'orders/1', 'orders/1/lines', 'ordersX'];
  assert.deepEqual(matching('/orders', paths), ['orders', '/orders/']);
  assert.deepEqual(matching('/orders/*', paths), ['orders/1']);
  assert.deepEqual(matching('GET /orders/**', paths), [
    'orders',
    '/orders/',
    'orders/1',
    'orders/1/lines',
  ]);
  assert.deepEqual(matching('POST /orders', paths), []);
  assert.deepEqual(matching('**', paths), paths);
});

test('the most exact one comes first', () => {
  const texts = [
    '**',
    '/orders/**',
    '/orders/*',
    '/orders/new',
    'GET /orders/*',
    '/*/new',
    'GET **',
  ];
  const patterns = texts.map((text) => ({ text, pattern: parseMethod(text) as MethodPattern }));
  const sorted = patterns.sort((one, other) => byExactness(one.pattern, other.pattern));
  assert.deepEqual(
    sorted.map(({ text }) => text),
    ['/orders/new', 'GET /orders/*', '/orders/*', '/orders/**', '/*/new', 'GET **', '**'],
  );
});
