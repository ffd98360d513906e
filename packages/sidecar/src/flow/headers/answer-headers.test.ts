import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { test } from 'node:test';
import { readRequestHead } from '../../server/request-head.ts';
import { answerHeaders } from './answer-headers.ts';

/** A connection says so once as a rule; nobody forbids it to say so in several lines. */
const RAW = [
  ...['connection', 'x-a', 'x-a', '1', 'connection', 'x-b, close', 'x-b', '2'],
  ...['connection', 'keep-alive', 'x-c', '3'],
];

test('what any of several Connection headers names goes no further, either way', () => {
  const request = { rawHeaders: RAW, url: '/', method: 'GET', httpVersionMajor: 1 };
  const [there, back] = [readRequestHead(request as IncomingMessage), answerHeaders(RAW)];
  assert.deepEqual(
    [there.headers, back.headers],
    [
      ['x-c', '3'],
      ['x-c', '3'],
    ],
  );
});
