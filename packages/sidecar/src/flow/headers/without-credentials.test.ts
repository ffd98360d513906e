import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withoutCredentials } from './without-credentials.ts';

test('takes out what stands before the host of a URL, however it is escaped, and nothing else', () => {
  const texts = {
    'http://us:pw@host:80/a@b': 'http://host:80/a@b',
    '/v1.0/invoke/https://us:p@w@host/method/x': '/v1.0/invoke/https://host/method/x',
    '/v1.0/invoke/http%3A%2F%2Fus:pw%40host/method/x': '/v1.0/invoke/http%3A%2F%2Fhost/method/x',
    '/v1.0/invoke/http:%2f/us@host%2Fa@b/method/x': '/v1.0/invoke/http:%2f/host%2Fa@b/method/x',
    'id: http://us:pw@, err: invalid URL http://us:pw@': 'id: http://, err: invalid URL http://',
    'Get "http://host/x": said by a@b': 'Get "http://host/x": said by a@b',
    '/v1.0/state/s/joe@host': '/v1.0/state/s/joe@host',
    'http://host/?to=a@b': 'http://host/?to=a@b',
    plain: 'plain',
  };
  assert.deepEqual(Object.keys(texts).map(withoutCredentials), Object.values(texts));
});
