import { API_TOKEN, APP_TOKEN } from '../makes/one-sidecar.ts';
import type { OddCase } from './odd-apps.ts';

const path = '/v1.0/invoke/callee/method/h';
const SMUGGLED = 'one reading of a request is all that there should be';
const raw = (line: string, ...headers: string[]) =>
  `${[line, ...headers, 'Connection: close'].join('\r\n')}\r\n\r\n`;
const locked = { status: 401, body: 'invalid api token\n' };

/** Heads that few clients write, and some write on purpose. */
export const oddHeads: readonly OddCase[] = [
  // What `curl -X POST` sends: it says nothing of a body, and so there is none.
  ...(
    [
      ['POST', '/v1.0/publish/bus/t', 204, ''],
      ['POST', '/v1.0/bindings/b', 400, /failed deserializing HTTP body: EOF/],
      ['PUT', '/v1.0/bindings/b', 400, /failed deserializing HTTP body: EOF/],
      ['POST', '/v1.0-alpha1/lock/l', 400, /ExpiryInSeconds is not positive/],
      ['PUT', '/v1.0/metadata/nothing', 204, ''],
    ] as const
  ).map(
    ([method, to, status, body]): OddCase => ({
      name: `no length: ${method} ${to} has no body`,
      send: { method, path: to },
      expect: { status, body },
    }),
  ),
  ...['POST', 'PUT', 'DELETE', 'HEAD', 'PATCH'].flatMap((method) =>
    ['/v1.0/healthz', '/v1.0/healthz/outbound'].map(
      (probe): OddCase => ({
        name: `token: ${method} ${probe} is an invocation, and needs one`,
        send: { to: 'secured', method, path: probe, headers: ['dapr-app-id: secured'] },
        expect: method === 'HEAD' ? { status: 401 } : locked,
      }),
    ),
  ),
  {
    name: 'token: with it, an invocation by a header may be called healthz',
    send: {
      to: 'secured',
      method: 'POST',
      path: '/v1.0/healthz',
      headers: ['dapr-app-id: secured', `dapr-api-token: ${API_TOKEN}`],
    },
    expect: {
      status: 200,
      app: { url: '/v1.0/healthz', headers: { 'dapr-api-token': APP_TOKEN } },
    },
  },
  {
    name: 'token: a health that is written in escapes needs one',
    send: { to: 'secured', path: '/v1.0/health%7A', headers: ['dapr-app-id: secured'] },
    expect: locked,
    daprd: {
      why: 'it compares what the escapes stand for, and serves what is written: an invocation that needs no token',
      expect: { status: 200, app: { url: '/v1.0/healthz' } },
    },
  },
  {
    name: 'a coding beside chunked is not undone here',
    send: {
      raw: `${raw(`POST ${path} HTTP/1.1`, 'Host: a', 'Transfer-Encoding: gzip, chunked')}0\r\n\r\n`,
    },
    expect: { status: 501, body: 'Unsupported transfer encoding' },
  },
  {
    name: 'chunked in capitals is chunked',
    send: {
      raw: `${raw(`POST ${path} HTTP/1.1`, 'Host: a', 'Transfer-Encoding: Chunked')}2\r\nhi\r\n0\r\n\r\n`,
    },
    expect: { status: 200, app: { body: 'hi' } },
  },
  {
    name: 'a line of HTTP/2.0',
    send: { raw: raw(`GET ${path} HTTP/2.0`, 'Host: a') },
    expect: { status: 505, body: '505 HTTP Version Not Supported: unsupported protocol version' },
  },
  {
    name: 'HTTP/1.0 without a host',
    send: { raw: raw(`GET ${path} HTTP/1.0`) },
    expect: { status: 200, app: { url: '/h' } },
  },
  ...['a b', 'a/b', 'a@b', 'a"'].map(
    (host): OddCase => ({
      name: `the host ${host}`,
      send: { raw: raw(`GET ${path} HTTP/1.1`, `Host: ${host}`) },
      expect: { status: 400, body: '400 Bad Request: malformed Host header' },
    }),
  ),
  ...['', 'a', '[::1]:80', 'a_b:1', 'xn--a%20b'].map(
    (host): OddCase => ({
      name: `the host ${JSON.stringify(host)} is one`,
      send: { raw: raw(`GET ${path} HTTP/1.1`, `Host: ${host}`) },
      expect: { status: 200 },
    }),
  ),
  {
    name: 'two hosts, in one form of words or another',
    send: { raw: raw(`GET ${path} HTTP/1.1`, 'Host: a', 'Host: b') },
    expect: { status: 400, body: /^400 Bad Request/ },
  },
  {
    name: 'the same length twice',
    send: {
      raw: `${raw(`POST ${path} HTTP/1.1`, 'Host: a', 'Content-Length: 2', 'Content-Length: 2')}hi`,
    },
    expect: { status: 400 },
    daprd: { why: SMUGGLED, expect: { status: 200, app: { body: 'hi' } } },
  },
  {
    name: 'a header that goes on in the next line',
    send: { raw: raw(`GET ${path} HTTP/1.1`, 'Host: a', 'X-Fold: a\r\n b') },
    expect: { status: 400 },
    daprd: { why: SMUGGLED, expect: { status: 200, app: { headers: { 'x-fold': 'a b' } } } },
  },
  {
    name: 'lines that end without a carriage return',
    send: { raw: `GET ${path} HTTP/1.1\nHost: a\nConnection: close\n\n` },
    expect: { status: 400 },
    daprd: { why: SMUGGLED, expect: { status: 200 } },
  },
  {
    name: 'a path of bytes that are no ASCII',
    send: { raw: raw(`GET ${path}\xc3\xbc HTTP/1.1`, 'Host: a') },
    expect: { status: 400 },
    daprd: {
      why: 'llhttp wants them as escapes, as RFC 3986 does',
      expect: { status: 200, app: { url: '/h%C3%BC' } },
    },
  },
  {
    name: 'a blank before the colon of a header',
    send: { raw: raw(`GET ${path} HTTP/1.1`, 'Host: a', 'X-A : b') },
    expect: { status: 400 },
  },
  {
    name: 'an expectation that is none',
    send: {
      raw: `${raw(`POST ${path} HTTP/1.1`, 'Host: a', 'Expect: a-miracle', 'Content-Length: 2')}hi`,
    },
    expect: { status: 417 },
  },
  {
    name: 'a body that is said to be gzip is nobody’s to open',
    send: { method: 'POST', path, headers: ['Content-Encoding: gzip'], body: 'no gzip' },
    expect: { status: 200, app: { body: 'no gzip', headers: { 'content-encoding': 'gzip' } } },
  },
  {
    name: 'a sampling rate above 1 is all',
    send: { to: 'callee', path: '/v1.0/metadata' },
    expect: { status: 200, headers: { traceparent: /-01$/ } },
  },
  {
    name: 'the version in the metadata is the sidecar’s to say',
    send: [
      { method: 'PUT', path: '/v1.0/metadata/daprRuntimeVersion', body: '9' },
      { path: '/v1.0/metadata' },
    ],
    expect: [{ status: 204 }, { status: 200, body: /"daprRuntimeVersion":"1\.18\.0"/ }],
  },
];
