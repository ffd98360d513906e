import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  httpFailureRules,
  httpRetryRules,
  isIdempotentMethod,
  isRetriableStatus,
} from './status-rules.ts';

test('what may go better later is tried again, what never will is not', () => {
  const statuses = [
    200, 304, 400, 401, 404, 408, 409, 429, 499, 500, 501, 502, 503, 504, 505, 599, 600,
  ];

  assert.deepEqual(statuses.filter(isRetriableStatus), [408, 429, 500, 502, 503, 504, 599]);
  assert.deepEqual(
    [{ status: 503 }, { status: 200 }, undefined, 'x', { status: '503' }].map((value) => [
      httpRetryRules.retryIfResult(value),
      httpFailureRules.failureIfResult(value),
    ]),
    [
      [true, true],
      [false, false],
      [false, false],
      [false, false],
      [false, false],
    ],
  );
});

test('a request that was too large is tried again only where the answer says when', () => {
  const tooLarge = (headers: Record<string, string>) =>
    new Response(null, { status: 413, headers });
  const judged = [
    {},
    { 'retry-after': '2' },
    { 'retry-after': '0' },
    { 'retry-after': 'never' },
  ].map((headers) => httpRetryRules.retryIfResult(tooLarge(headers as Record<string, string>)));
  assert.deepEqual(judged, [false, true, true, false]);
  assert.equal(isRetriableStatus(413), false);
});

test('an answer that is the caller’s fault speaks for the dependency, but for 429', () => {
  const failures = [400, 404, 408, 429, 500, 501].filter((status) =>
    httpFailureRules.failureIfResult({ status }),
  );

  assert.deepEqual(failures, [429, 500, 501]);
});

test('POST and PATCH are not repeated, in whatever case they are written', () => {
  const methods = ['GET', 'head', 'PUT', 'Delete', 'OPTIONS', 'POST', 'patch', 'CONNECT'];

  assert.deepEqual(methods.filter(isIdempotentMethod), ['GET', 'head', 'PUT', 'Delete', 'OPTIONS']);
});
