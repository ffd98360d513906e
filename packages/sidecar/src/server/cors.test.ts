import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createCors, isNoOrigin } from './cors.ts';
import type { RequestHead } from './request-head.ts';

test('without allowed origins browsers are told nothing', () => {
  assert.equal(createCors([]), undefined);
});

test('an origin is allowed in any case, as a whole or around the first star', () => {
  const allowed = ['http://a.example', 'https://*.b.example', 'http://two.*.stars*'];
  const origins = [
    ...['http://a.example', 'HTTP://A.example', 'http://a.example.evil', 'https://x.y.b.example'],
    ...['https://b.example', 'http://two.x.stars*', 'http://two.x.stars', ''],
  ];
  assert.deepEqual(
    origins.filter((origin) => told(allowed, 'GET', [`origin: ${origin}`]).includes(origin)),
    [...origins.slice(0, 2), 'https://x.y.b.example', 'http://two.x.stars*'],
  );
});

test('a star alone allows all, by its own name', () => {
  assert.deepEqual(told(['http://a.example', '*'], 'GET', ['origin: http://b.example']), [
    ...['vary', 'Origin', 'access-control-allow-origin', '*'],
  ]);
});

test('a preflight is told its method and headers, in the spelling of Go', () => {
  const headers = ['origin: http://a.example', 'access-control-request-method: post'];
  const list = 'access-control-request-headers: ,x--a, B_c x1-2y,d@e';
  assert.deepEqual(told(['*'], 'OPTIONS', [...headers, list]).slice(6), [
    ...['access-control-allow-origin', '*', 'access-control-allow-methods', 'POST'],
    ...['access-control-allow-headers', 'X--A, B_c, X1-2y, De'],
  ]);
});

test('a preflight for another origin or an odd method is told no more than what the answer varies with', () => {
  const odd = ['origin: http://a.example', 'access-control-request-method: BREW'];
  const evil = ['origin: http://evil.example', 'access-control-request-method: GET'];
  assert.deepEqual(
    [odd, evil].map((headers) => told(['http://a.example'], 'OPTIONS', headers).length),
    [6, 6],
  );
});

test('what no browser sends is told from what one may', () => {
  const texts = ['*', 'null', 'http://a:1', 'https://*.a', '*.a', 'a.example', 'http://a/', 'a/*'];
  assert.deepEqual(texts.filter(isNoOrigin), ['a.example', 'http://a/', 'a/*']);
});

function told(
  origins: readonly string[],
  method: string,
  lines: readonly string[],
): readonly string[] {
  const headers = lines.flatMap((line) => [
    line.slice(0, line.indexOf(':')),
    line.slice(line.indexOf(':') + 2),
  ]);
  return createCors(origins)!({ method, headers } as unknown as RequestHead).headers;
}
