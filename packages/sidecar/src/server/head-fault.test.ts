import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { test } from 'node:test';
import { codingFault, hostFault, versionFault } from './head-fault.ts';

test('a host is a name or an address, once', () => {
  const hosts = ['', 'a', 'a.b:80', '[::1]:80', 'a_b', 'a b', 'a/b', 'a@b', 'ä'];

  assert.deepEqual(
    hosts.map((host) => hostFault(undefined, host)?.status ?? 'fine'),
    ['fine', 'fine', 'fine', 'fine', 'fine', 400, 400, 400, 400],
  );
  assert.equal(hostFault('a', 'a')?.text, '400 Bad Request: too many Host headers');
});

test('of codings chunked alone is undone', () => {
  const codings = ['chunked', ' Chunked ', 'gzip, chunked', 'chunked, chunked', 'gzip'];

  assert.deepEqual(
    codings.map((coding) => codingFault(coding)?.status ?? 'fine'),
    // The parser refuses the last by itself.
    ['fine', 'fine', 501, 501, 'fine'],
  );
});

test('a line of another version of HTTP is told so', () => {
  const major = (httpVersionMajor?: number) => ({ httpVersionMajor }) as IncomingMessage;

  assert.deepEqual(
    [1, 2, 0, undefined].map((one) => versionFault(major(one))?.status ?? 'fine'),
    ['fine', 505, 505, 'fine'],
  );
});
