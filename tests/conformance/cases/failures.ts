import { type Case, directInvoke } from '../makes/case.ts';

const path = '/v1.0/invoke/callee/method/h';
const head = `POST ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n`;

export const failures: readonly Case[] = [
  {
    name: 'unknown app',
    send: { path: '/v1.0/invoke/nobody/method/x' },
    expect: {
      status: 500,
      headers: { 'content-type': 'application/json' },
      body: directInvoke('nobody', 'no host found with the given ID'),
    },
  },
  {
    name: 'application of the callee is down',
    send: { path: '/v1.0/invoke/down/method/x' },
    expect: {
      status: 500,
      body: /"failed to invoke, id: down, err: rpc error: code = Internal desc = error invoking app channel: Get \\"http:\/\/127\.0\.0\.1:\d+\/x\\": dial tcp 127\.0\.0\.1:\d+: connect: connection refused"/,
    },
    withinMs: 2_500,
  },
  {
    name: 'application of the callee is down: the verb is named',
    send: { method: 'POST', path: '/v1.0/invoke/down/method/x', body: 'a' },
    expect: { status: 500, body: /error invoking app channel: Post \\"http/ },
  },
  {
    name: 'own application is down',
    send: { to: 'down', path: '/v1.0/invoke/down/method/x' },
    expect: {
      status: 500,
      body: /"failed to invoke, id: down, err: Get \\"http:\/\/127\.0\.0\.1:\d+\/x\\": dial tcp .*connection refused"/,
    },
  },
  {
    name: 'callee without an application',
    send: { path: '/v1.0/invoke/noport/method/x' },
    expect: {
      status: 500,
      body: directInvoke(
        'noport',
        'rpc error: code = Internal desc = app channel is not initialized',
      ),
    },
  },
  {
    name: 'no application of one’s own',
    send: { to: 'noport', path: '/v1.0/invoke/noport/method/x' },
    expect: {
      status: 500,
      body: directInvoke('noport', 'cannot invoke local endpoint: app channel not initialized'),
    },
  },
  {
    name: 'a sidecar without an application can call others',
    send: { to: 'noport', path },
    expect: { status: 200, app: { url: '/h', headers: { 'dapr-caller-app-id': 'noport' } } },
  },
  {
    name: 'sidecar of the callee is gone: built-in retries, three of a second',
    send: { path: '/v1.0/invoke/gone/method/x' },
    expect: {
      status: 500,
      body: /"failed to invoke, id: gone, err: failed to invoke target gone after 3 retries\. Error: rpc error: code = Unavailable desc = connection error: desc = \\"transport: Error while dialing: dial tcp 127\.0\.0\.1:\d+: connect: connection refused\\""/,
    },
    notBeforeMs: 2_900,
    withinMs: 8_000,
  },
  {
    name: 'sidecar of the callee is gone, app listed: no built-in retries',
    send: { path: '/v1.0/invoke/dead/method/x' },
    expect: { status: 500, body: /code = Unavailable/ },
    withinMs: 2_500,
  },
  {
    name: 'application dies half way: the answer is broken',
    send: { path: `${path}?die=sized` },
    expect: { complete: false },
    daprd: {
      why: 'daprd ends the answer as if it were whole',
      expect: { status: 200, complete: true },
    },
  },
  {
    name: 'application dies half way, chunked: the answer is broken',
    send: { path: `${path}?die=chunked` },
    expect: { complete: false },
    daprd: {
      why: 'daprd ends the answer as if it were whole',
      expect: { status: 200, complete: true },
    },
  },
  {
    name: 'own application dies half way: the answer is broken',
    send: { path: '/v1.0/invoke/caller/method/h?die=sized' },
    expect: { complete: false },
    daprd: {
      why: 'daprd ends the answer as if it were whole',
      expect: { status: 200, complete: true },
    },
  },
  {
    name: 'two lengths that differ',
    send: { raw: `${head}Content-Length: 3\r\nContent-Length: 4\r\n\r\nabc` },
    expect: { status: 400 },
  },
  {
    name: 'a negative length',
    send: { raw: `${head}Content-Length: -3\r\n\r\n` },
    expect: { status: 400 },
  },
  {
    name: 'a length that is no number',
    send: { raw: `${head}Content-Length: 3x\r\n\r\nabc` },
    expect: { status: 400 },
  },
  {
    name: 'length and chunks at once',
    send: {
      raw: `${head}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n`,
    },
    expect: { status: 400 },
    daprd: {
      why: 'Go drops the length; we refuse, for the two readings are how requests are smuggled',
      expect: { status: 200 },
    },
  },
  {
    name: 'a transfer encoding that nobody knows',
    send: { raw: `${head}Transfer-Encoding: gzip\r\n\r\nabc` },
    expect: { status: 400 },
    daprd: { why: 'llhttp answers 400 where Go answers 501', expect: { status: 501 } },
  },
  {
    name: 'no host',
    send: { raw: `GET ${path} HTTP/1.1\r\nConnection: close\r\n\r\n` },
    expect: { status: 400 },
  },
  {
    name: 'two hosts',
    send: { raw: `GET ${path} HTTP/1.1\r\nHost: h\r\nHost: i\r\nConnection: close\r\n\r\n` },
    expect: { status: 400 },
  },
  {
    name: 'a head over the limit',
    send: { path, headers: [`X-Big: ${'a'.repeat(9_000)}`] },
    expect: { status: 431 },
  },
  {
    name: 'a head of 7 KB passes',
    send: { path, headers: [`X-Big: ${'a'.repeat(7_000)}`] },
    expect: { status: 200 },
  },
  {
    name: 'a body over the limit',
    send: { method: 'POST', path, body: 'a'.repeat(4 * 1024 * 1024 + 1) },
    expect: { status: 413, headers: { 'content-type': 'application/json' } },
    daprd: {
      why: 'daprd answers 500 "stream too large"; 413 says whose fault it is',
      expect: {
        status: 500,
        body: /stream too large|transport connection broken|does not match content-length/,
      },
    },
  },
  {
    name: 'a verb for tunnels',
    send: { method: 'CONNECT', path },
    expect: { status: 500, body: /invalid HTTP verb/ },
  },
];
