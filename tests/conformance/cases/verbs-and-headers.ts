import type { Case } from '../makes/case.ts';

const path = '/v1.0/invoke/callee/method/h';
const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const parent = (flags: string): string => `traceparent: 00-${TRACE}-00f067aa0ba902b7-${flags}`;

export const verbsAndHeaders: readonly Case[] = [
  ...['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE'].map(
    (method): Case => ({
      name: `verb ${method}`,
      send: { method, path, ...(/^P/.test(method) ? { body: 'abc' } : {}) },
      expect: { status: 200, app: { method, body: /^P/.test(method) ? 'abc' : '' } },
    }),
  ),
  {
    name: 'verb HEAD: head without body',
    send: { method: 'HEAD', path },
    expect: { status: 200, body: '', headers: { 'x-app': 'echo' } },
  },
  {
    name: 'GET with a body',
    send: { path, body: 'abc' },
    expect: { status: 200, app: { body: 'abc' } },
  },
  {
    name: 'chunked request body',
    send: {
      raw: `POST ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n`,
    },
    expect: { status: 200, app: { body: 'abcde' } },
  },
  {
    name: 'trailers of a request do no harm',
    send: {
      raw: `POST ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\nTrailer: x-t\r\n\r\n3\r\nabc\r\n0\r\nx-t: 1\r\n\r\n`,
    },
    expect: { status: 200, app: { body: 'abc', headers: { trailer: null, 'x-t': null } } },
  },
  {
    name: 'content type is passed on',
    send: {
      method: 'POST',
      path,
      body: '{}',
      headers: ['Content-Type: application/x+json; charset=utf-8'],
    },
    expect: {
      status: 200,
      app: {
        headers: { 'content-type': 'application/x+json; charset=utf-8', 'content-length': '2' },
      },
    },
  },
  {
    name: 'ordinary headers are passed on',
    send: { path, headers: ['X-One: 1', 'Cookie: a=1; b=2', 'Authorization: Bearer t'] },
    expect: {
      status: 200,
      app: { headers: { 'x-one': '1', cookie: 'a=1; b=2', authorization: 'Bearer t' } },
    },
  },
  {
    name: 'a header that comes twice stays twice',
    send: { path, headers: ['X-A: 1', 'X-A: 2'] },
    expect: { status: 200, app: { headers: { 'x-a': '1, 2' } } },
  },
  {
    name: 'hop-by-hop headers stay here',
    send: {
      raw: `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close, X-Hop\r\nX-Hop: 1\r\nKeep-Alive: 5\r\nProxy-Authorization: a\r\nProxy-Connection: x\r\nTE: trailers\r\n\r\n`,
    },
    expect: {
      status: 200,
      app: {
        headers: {
          'x-hop': null,
          'keep-alive': null,
          'proxy-authorization': null,
          'proxy-connection': null,
          te: null,
        },
      },
    },
  },
  {
    name: 'an upgrade that is asked for is overlooked',
    send: { path, headers: ['Upgrade: websocket'] },
    expect: { status: 200, app: { headers: { upgrade: null } } },
  },
  {
    name: '*-bin and destination-app-id stay here',
    send: { path, headers: ['x-bin: YQ==', 'destination-app-id: evil'] },
    expect: { status: 200, app: { headers: { 'x-bin': null, 'destination-app-id': null } } },
  },
  {
    name: 'grpc-* gets a prefix',
    send: { path, headers: ['grpc-timeout: 1S'] },
    expect: { status: 200, app: { headers: { 'grpc-timeout': null, 'dapr-grpc-timeout': '1S' } } },
  },
  {
    name: 'the application learns who calls',
    send: { path },
    expect: {
      status: 200,
      app: {
        headers: {
          'dapr-caller-app-id': 'caller',
          'dapr-caller-namespace': 'default',
          'dapr-callee-app-id': 'callee',
          'x-forwarded-for': /\d+\.\d+\.\d+\.\d+/,
          'x-forwarded-host': /./,
          forwarded: /^for=.*;by=.*;host=/,
        },
      },
    },
  },
  {
    name: 'nobody can pretend to be another caller',
    send: {
      path,
      headers: [
        'dapr-caller-app-id: evil',
        'dapr-callee-app-id: evil',
        'dapr-caller-namespace: evil',
      ],
    },
    expect: {
      status: 200,
      app: {
        headers: {
          'dapr-caller-app-id': 'caller',
          'dapr-callee-app-id': 'callee',
          'dapr-caller-namespace': 'default',
        },
      },
    },
    daprd: {
      why: 'daprd 1.18 leaves the client’s value standing beside its own',
      expect: { status: 200, app: { headers: { 'dapr-caller-app-id': /evil/ } } },
    },
  },
  {
    name: 'X-Forwarded-For is continued',
    send: { path, headers: ['X-Forwarded-For: 1.2.3.4'] },
    expect: { status: 200, app: { headers: { 'x-forwarded-for': /^1\.2\.3\.4, \d/ } } },
  },
  {
    name: 'self: no forwarding headers',
    send: { path: '/v1.0/invoke/caller/method/me?a=1' },
    expect: {
      status: 200,
      app: {
        url: '/me?a=1',
        headers: { 'dapr-caller-app-id': null, 'x-forwarded-for': null, traceparent: /-01$/ },
      },
    },
  },
  {
    name: 'self: with its own namespace',
    send: { path: '/v1.0/invoke/caller.default/method/me' },
    expect: { status: 200, app: { headers: { 'x-forwarded-for': null } } },
  },
  {
    name: 'trace: made where there is none',
    send: { path },
    expect: {
      status: 200,
      headers: { traceparent: /^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/ },
      app: { headers: { traceparent: /^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/ } },
    },
  },
  {
    name: 'trace: continued',
    send: { path, headers: [parent('01'), 'tracestate: a=b'] },
    expect: {
      status: 200,
      headers: { traceparent: new RegExp(`^00-${TRACE}-(?!00f067aa0ba902b7)[0-9a-f]{16}-01$`) },
      app: {
        headers: {
          traceparent: new RegExp(`^00-${TRACE}-(?!00f067aa0ba902b7)[0-9a-f]{16}-01$`),
          tracestate: 'a=b',
        },
      },
    },
  },
  {
    name: 'trace: not sampled stays so',
    send: { path, headers: [parent('00')] },
    expect: {
      status: 200,
      app: { headers: { traceparent: new RegExp(`^00-${TRACE}-[0-9a-f]{16}-00$`) } },
    },
  },
  {
    name: 'trace: what is no traceparent begins a new one',
    send: { path, headers: ['traceparent: 00-xx-00f067aa0ba902b7-01'] },
    expect: { status: 200, app: { headers: { traceparent: /^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/ } } },
  },
  {
    name: 'trace: the application’s own answer wins',
    send: { path: `${path}?h-traceparent=mine` },
    expect: { status: 200, headers: { traceparent: 'mine' } },
  },
  {
    name: 'an application is told nothing of keeping connections',
    send: { path },
    expect: { status: 200, app: { headers: { connection: null } } },
  },
  {
    name: 'an endpoint outside is told nothing of keeping connections',
    send: { path: '/v1.0/invoke/outside/method/h' },
    expect: { status: 200, app: { headers: { connection: null } } },
  },
  {
    name: 'baggage: passed on and echoed',
    send: { path, headers: ['baggage: user=ann;p=1,x=y'] },
    expect: {
      status: 200,
      headers: { baggage: 'user=ann;p=1,x=y' },
      app: { headers: { baggage: 'user=ann;p=1,x=y' } },
    },
  },
  ...[
    ['a=1,', 'baggage list-member: ""'],
    ['a', 'baggage list-member: "a"'],
    ['a=b c', 'value: "b c"'],
    ['a=%zz', 'value: invalid URL escape "%zz"'],
  ].map(
    ([value, why]): Case => ({
      name: `baggage: ${value} is refused, in no trace`,
      send: { path, headers: [`baggage: ${value}`] },
      expect: {
        status: 400,
        headers: { traceparent: null, baggage: null },
        body: `invalid baggage header: invalid ${why}`,
      },
    }),
  ),
  {
    name: 'trace: a long tracestate reaches the application, and is not repeated',
    send: {
      path,
      headers: [
        parent('01'),
        `tracestate: a=${'x'.repeat(250)},b=${'y'.repeat(250)},c=${'z'.repeat(99)}`,
      ],
    },
    expect: { status: 200, headers: { tracestate: null }, app: { headers: { tracestate: /z$/ } } },
  },
  {
    name: 'answer: a stream of events is not for caches',
    send: {
      path: `${path}?h-content-type=text/event-stream`,
      headers: ['Accept: text/event-stream'],
    },
    expect: { status: 200, headers: { 'cache-control': 'no-cache' } },
  },
  {
    name: 'answer: its length is not limited',
    send: [
      { path: `${path}?bytes=9000000` },
      { path: '/v1.0/invoke/caller/method/h?bytes=9000000' },
    ],
    expect: [
      { status: 200, body: 'x'.repeat(9_000_000) },
      { status: 200, body: 'x'.repeat(9_000_000) },
    ],
  },
  {
    name: 'answer: without a content type',
    send: { path: `${path}?bytes=3` },
    expect: { status: 200, headers: { 'content-type': null } },
    daprd: {
      why: 'Go guesses one from the first bytes; we add nothing the application did not say',
      expect: { status: 200, headers: { 'content-type': 'text/plain; charset=utf-8' } },
    },
  },
  {
    name: 'baggage: unreadable is refused',
    send: { path, headers: ['baggage: ;;='] },
    expect: {
      status: 400,
      headers: { 'content-type': 'text/plain; charset=utf-8' },
      body: /^invalid baggage header/,
    },
  },
  {
    name: 'Expect: 100-continue is answered and not passed on',
    send: { path, method: 'POST', body: 'abc', headers: ['Expect: 100-continue'] },
    expect: { status: 200, app: { body: 'abc', headers: { expect: null } } },
    daprd: {
      why: 'daprd answers it and passes it on all the same',
      expect: { status: 200, app: { body: 'abc' } },
    },
  },
  {
    name: 'answer: headers of the application come back',
    send: { path: `${path}?h-x-mine=1&h-set-cookie=a=b` },
    expect: {
      status: 200,
      headers: { 'x-mine': '1', 'set-cookie': 'a=b', 'content-type': 'application/json' },
    },
  },
  ...['callee', 'caller'].map(
    (app): Case => ({
      name: `answer: headers of gRPC are renamed, binary ones stay behind (${app})`,
      send: {
        path: `/v1.0/invoke/${app}/method/h?h-grpc-status=5&h-grpc-x=1&h-x-bin=AAEC&h-x-binary=1`,
      },
      expect: {
        status: 200,
        headers: {
          ...{ 'dapr-grpc-status': '5', 'dapr-grpc-x': '1', 'x-binary': '1' },
          ...{ 'grpc-status': null, 'grpc-x': null, 'x-bin': null },
        },
      },
    }),
  ),
  {
    name: 'answer: 204 has no body',
    send: { path: `${path}?status=204` },
    expect: { status: 204, body: '' },
  },
  {
    name: 'answer: 304 has no body',
    send: { path: `${path}?status=304` },
    expect: { status: 304, body: '', headers: { 'content-type': null } },
  },
  {
    name: 'a method of health is no part of a trace of the caller, but the application still has one',
    send: { path: '/v1.0/invoke/callee/method/healthz' },
    expect: {
      status: 200,
      app: { url: '/healthz', headers: { traceparent: /^00-[\da-f]{32}-[\da-f]{16}-01$/ } },
    },
  },
  {
    name: 'answer: redirects of an endpoint are the client’s to follow as well',
    send: { path: '/v1.0/invoke/outside/method/moved?status=302&h-location=/base/landed' },
    expect: { status: 302, headers: { location: '/base/landed' } },
    calls: { '/base/moved': 1, '/base/landed': 0 },
    daprd: {
      why: 'it follows them, to wherever the endpoint says: then who may be called is no longer what the file says',
      expect: { status: 200, app: { url: '/base/landed' } },
      calls: { '/base/moved': 1, '/base/landed': 1 },
    },
  },
  {
    name: 'answer: redirects are the client’s to follow',
    send: { path: `${path}?status=302&h-location=/x` },
    expect: { status: 302, headers: { location: '/x' } },
  },
  ...[400, 404, 429, 500, 503].map(
    (status): Case => ({
      name: `answer: ${status} of the application passes as it is`,
      send: { path: `/v1.0/invoke/callee/method/s${status}?status=${status}` },
      expect: { status, app: { url: `/s${status}?status=${status}` } },
      calls: { [`/s${status}`]: 1 },
    }),
  ),
];
