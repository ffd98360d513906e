import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { redirected, type SentRequest } from './redirect.ts';

const POST: SentRequest = {
  method: 'POST',
  origin: 'http://one:80',
  path: '/a/b?x=1',
  headers: new Map([
    ['content-type', 'text/plain'],
    ['authorization', 'Basic x'],
    ['x-token', 't'],
    ['x-mine', '7'],
  ]),
  body: Buffer.from('hello'),
};

describe('redirected', () => {
  const to = (status: number, location: string, request = POST) => {
    const next = redirected(request, { status, headers: { Location: location } }, 'x-token');
    if (next === undefined) return undefined;
    const { body, headers, method, origin, path } = next;
    return [method, `${origin}${path}`, body?.toString(), [...headers.keys()].join(' ')];
  };

  test('asks the place that is named, without the body, or with it where nothing is to change', () => {
    const all = 'content-type authorization x-token x-mine';
    const bare = 'authorization x-token x-mine';
    assert.deepEqual(
      [302, 303, 307].map((status) => to(status, '../c?y=2')),
      [
        ['GET', 'http://one/c?y=2', undefined, bare],
        ['GET', 'http://one/c?y=2', undefined, bare],
        ['POST', 'http://one/c?y=2', 'hello', all],
      ],
    );
    const head = { ...POST, method: 'HEAD', body: null };
    assert.equal(to(301, '/c', head)?.[0], 'HEAD');
  });

  test('tells another host no secrets', () => {
    assert.deepEqual(to(308, 'https://two/'), [
      'POST',
      'https://two/',
      'hello',
      'content-type x-mine',
    ]);
  });

  test('is nothing where the answer names no place, and refuses what is none', () => {
    assert.deepEqual([to(200, '/c'), to(302, ''), to(304, '/c')], Array(3).fill(undefined));
    assert.throws(() => to(302, 'ftp://one/'), { message: 'unsupported protocol scheme "ftp"' });
    assert.throws(() => to(302, 'http://'), {
      message: 'failed to parse Location header "http://"',
    });
  });
});
