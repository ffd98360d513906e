import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findTarget, splitAppId } from './target.ts';

const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;

test('a target is looked for in the header, then in the user name, then in the path', () => {
  const path = '/v1.0/invoke/c/method/m';

  assert.deepEqual(
    [
      findTarget(path, 'a', basic('dapr-app-id:b')),
      findTarget(path, undefined, basic('Dapr-App-Id:b')),
      findTarget(path, undefined, basic('someone:b')),
      findTarget(path, '', undefined),
    ],
    [
      { id: 'a', method: path },
      { id: 'b', method: path },
      { id: 'c', method: 'm' },
      { id: 'c', method: 'm' },
    ],
  );
});

test('a path names an app, an app with a namespace, or a URL in either spelling', () => {
  const ids = [
    '/v1.0/invoke/app/method/a/method/b',
    '/v1.0/invoke/app.ns/method/',
    '/v1.0/invoke/http://h:1/base/method/x',
    '/v1.0/invoke/https%3A%2F%2Fh/method/x',
  ].map((path) => findTarget(path, undefined, undefined));

  assert.deepEqual(ids, [
    { id: 'app', method: 'a/method/b' },
    { id: 'app.ns', method: '' },
    { id: 'http://h:1/base', method: 'x' },
    { id: 'https://h', method: 'x' },
  ]);
});

test('the words of the path and the slashes between them may be escaped', () => {
  const found = [
    '/v1.0%2Finvoke/a/method/x',
    '/v1%2e0/%69nvoke/a%2fmethod%2Fx',
    '/v1.0/invoke/a/%6Dethod/b%2Fc',
    '/V1.0/%69nvoke/a/method/x',
    '/v1.0/%69nvoke/%zz/method/x',
  ].map((path) => findTarget(path, undefined, undefined));

  assert.deepEqual(found, [
    { id: 'a', method: 'x' },
    { id: 'a', method: 'x' },
    { id: 'a', method: 'b%2Fc' },
    undefined,
    undefined,
  ]);
});

test('slashes too many before an app id are overlooked', () => {
  const paths = ['/v1.0//invoke//app/method//m', '//v1.0/invoke/app/method/m'];

  assert.deepEqual(
    paths.map((path) => findTarget(path, undefined, undefined)),
    [
      { id: 'app', method: '/m' },
      { id: 'app', method: 'm' },
    ],
  );
});

test('a path without a whole target names none', () => {
  const paths = [
    '/',
    '/v1.0/invoke/',
    '/v1.0/invoke/a',
    '/v1.0/invoke/a/method',
    '/v1.0/invoke//method/x',
    '/v1.0/invoke/%zz/method/x',
  ];

  assert.deepEqual(
    paths.map((path) => findTarget(path, undefined, undefined)),
    paths.map(() => undefined),
  );
});

test('an app id has a namespace after its dot, and one dot at most', () => {
  assert.deepEqual(
    [splitAppId('a', 'mine'), splitAppId('a.b', 'mine'), splitAppId('a.b.c', 'mine')],
    [
      { appId: 'a', namespace: 'mine' },
      { appId: 'a', namespace: 'b' },
      { refused: 'invalid app id a.b.c' },
    ],
  );
});
