import { type BindingCase, echoed, failed, op, said } from './binding-case.ts';

/** What is asked for, and how that is written. */
const ODD_PATHS = [
  ['/x#part', 'x'],
  ['/a b', 'a%20b'],
  ['/a|b?c|d', 'a%7Cb?c|d'],
  ['/a"b', 'a%22b'],
  ['/a%2Fb', 'a%2Fb'],
  ['/é', '%C3%A9'],
  ['/q?x=%zz', 'q?x=%zz'],
  ['?only=query', '?only=query'],
] as const;

const UNWRITTEN_QUERIES = [
  ['/q?a b', 'q?a%20b'],
  ['/q?é', 'q?%C3%A9'],
] as const;

/** `bindings.http`, against the application that echoes. */
export const HTTP_BINDINGS: readonly BindingCase[] = [
  { name: 'get', to: 'web', body: op('get'), expect: echoed('GET /base', '') },
  {
    name: 'get of a path',
    to: 'web',
    body: op('get', { path: '/deeper?x=1' }),
    expect: echoed('GET /base/deeper?x=1', ''),
  },
  {
    name: 'get with data',
    to: 'web',
    body: op('get', {}, 'ignored'),
    expect: echoed('GET /base', ''),
  },
  {
    name: 'post of a text',
    to: 'web',
    body: op('post', { path: 'in' }, 'text'),
    expect: echoed('POST /base/in', '"text"'),
  },
  {
    name: 'post of an object',
    to: 'web',
    body: op('post', { path: 'in' }, { a: 1 }),
    expect: echoed('POST /base/in', '{"a":1}'),
  },
  {
    name: 'create is post',
    to: 'web',
    body: op('create', { path: 'in' }, 'text'),
    expect: echoed('POST /base/in', '"text"'),
  },
  {
    name: 'post of nothing',
    to: 'web',
    body: op('post', { path: 'in' }),
    expect: echoed('POST /base/in', 'null'),
  },
  {
    name: 'put',
    to: 'web',
    body: op('put', { path: 'in' }, 1),
    expect: echoed('PUT /base/in', '1'),
  },
  {
    name: 'patch',
    to: 'web',
    body: op('patch', { path: 'in' }, 1),
    expect: echoed('PATCH /base/in', '1'),
  },
  {
    name: 'delete',
    to: 'web',
    body: op('delete', { path: 'in' }),
    expect: echoed('DELETE /base/in', ''),
  },
  {
    name: 'options',
    to: 'web',
    body: op('options', { path: 'in' }),
    expect: echoed('OPTIONS /base/in', ''),
  },
  {
    name: 'head',
    to: 'web',
    body: op('head', { path: 'in' }),
    expect: said('', { status: '200 OK', statusCode: '200' }),
  },
  {
    name: 'an operation in capitals',
    to: 'web',
    body: op('GET'),
    expect: failed(
      'binding web does not support operation GET. supported operations:create get head post put patch delete options trace',
    ),
  },
  {
    name: 'headers',
    to: 'web',
    body: op(
      'post',
      {
        path: 'in',
        'Content-Type': 'text/plain',
        'X-Mine': 'a',
        'x-small': 'b',
        Accept: 'text/html',
      },
      'text',
    ),
    expect: echoed('POST /base/in', '"text"', {
      'x-mine': 'a',
      accept: 'text/html',
      'content-type': 'text/plain',
    }),
  },
  {
    name: 'who asks says who it is',
    to: 'web',
    body: op('get'),
    expect: echoed('GET /base', '', { 'user-agent': 'holdfast' }),
    daprd: {
      why: 'each has its own name',
      expect: echoed('GET /base', '', { 'user-agent': 'Go-http-client/1.1' }),
    },
  },
  {
    name: 'a name of the client’s own, and no other host',
    to: 'web',
    body: op('get', { 'User-Agent': 'shop/1', Host: 'other.example' }),
    expect: echoed('GET /base', '', { 'user-agent': 'shop/1', host: '127.0.0.1:$APP' }),
  },
  ...ODD_PATHS.map(
    ([path, asked]): BindingCase => ({
      name: `the path ${path}`,
      to: 'web',
      body: op('get', { path }),
      expect: echoed(`GET /base/${asked}`, ''),
    }),
  ),
  ...UNWRITTEN_QUERIES.map(
    ([path, asked]): BindingCase => ({
      name: `the path ${path}`,
      to: 'web',
      body: op('get', { path }),
      expect: echoed(`GET /base/${asked}`, ''),
      daprd: {
        why: 'daprd sends the query as it is, which is no request',
        expect: failed('received status code 400'),
      },
    }),
  ),
  {
    name: 'an escape that is none',
    to: 'web',
    body: op('get', { path: '/%zz' }),
    expect: failed('parse "http://127.0.0.1:$APP/base/%zz": invalid URL escape "%zz"'),
  },
  {
    name: 'an answer of 404',
    to: 'web',
    body: op('get', { path: '/x?status=404' }),
    expect: failed('received status code 404', { status: '404 Not Found', statusCode: '404' }),
  },
  {
    name: 'an answer of 404 that is no error',
    to: 'web',
    body: op('get', { path: '/x?status=404', errorIfNot2XX: 'false' }),
    expect: echoed('GET /base/x?status=404', '', {}, '404 Not Found'),
  },
  {
    name: 'an answer of 204',
    to: 'web',
    body: op('get', { path: '/x?status=204' }),
    expect: said('', { status: '204 No Content', statusCode: '204' }),
  },
  {
    name: 'an answer of 302',
    to: 'web',
    body: op('get', { path: '/x?status=302' }),
    expect: failed('received status code 302', { status: '302 Found', statusCode: '302' }),
  },
  {
    name: 'a component for which 500 is no error',
    to: 'lax',
    body: op('get', { path: '/x?status=500' }),
    expect: echoed('GET /x?status=500', '', {}, '500 Internal Server Error'),
  },
  {
    name: 'an answer over the limit',
    to: 'short',
    body: op('get', { path: '/x?bytes=300' }),
    expect: failed(
      'Get "http://127.0.0.1:$APP/x?bytes=300": the answer exceeds maxResponseBodySize of 100 bytes',
    ),
    daprd: {
      why: 'daprd cuts it off and says nothing of it',
      expect: said(
        'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx',
        { status: '200 OK', statusCode: '200' },
      ),
    },
  },
  {
    name: 'a security token',
    to: 'secret',
    body: op('get'),
    expect: echoed('GET /', '', { 'x-token': 'tok' }),
  },
  {
    name: 'nobody there',
    to: 'nobody',
    body: op('get'),
    expect: failed(
      'Get "http://127.0.0.1:$DEAD": dial tcp 127.0.0.1:$DEAD: connect: connection refused',
    ),
  },
  {
    name: 'too slow',
    to: 'hasty',
    body: op('get', { path: '/x?delay=900' }),
    expect: failed('Get "http://127.0.0.1:$APP/x?delay=900": context deadline exceeded'),
  },
  {
    name: 'a trace of the caller',
    to: 'web',
    body: op('get'),
    expect: echoed('GET /base', ''),
    headers: { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' },
  },
];
