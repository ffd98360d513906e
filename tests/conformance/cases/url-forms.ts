import { type Case, directInvoke, type Expected, NO_APP_ID } from '../makes/case.ts';

const reaches = (url: string, method = 'GET'): Expected => ({ status: 200, app: { url, method } });
const invoke = (rest: string): string => `/v1.0/invoke/callee/method/${rest}`;
const basic = (text: string): string =>
  `authorization: Basic ${Buffer.from(text).toString('base64')}`;
const refused = (why: string): Expected => ({
  status: 500,
  body: directInvoke('callee', `rpc error: code = InvalidArgument desc = invalid method: ${why}`),
});
const nobody: Expected = { status: 404, body: NO_APP_ID };

export const urlForms: readonly Case[] = [
  { name: 'path: app id and method', send: { path: invoke('hello') }, expect: reaches('/hello') },
  {
    name: 'path: method of several segments',
    send: { path: invoke('a/b/c') },
    expect: reaches('/a/b/c'),
  },
  { name: 'path: empty method', send: { path: invoke('') }, expect: reaches('/') },
  {
    name: 'path: query is passed on as it is',
    send: { path: invoke('q?x=1&y=%2F&z=a+b&&') },
    expect: reaches('/q?x=1&y=%2F&z=a+b&&'),
  },
  {
    name: 'path: a second question mark belongs to the query',
    send: { path: invoke('q?x=a?b') },
    expect: reaches('/q?x=a?b'),
  },
  {
    name: 'path: app id with escapes',
    send: { path: '/v1.0/invoke/cal%6cee/method/a' },
    expect: reaches('/a'),
  },
  {
    name: 'path: app id with namespace',
    send: { path: '/v1.0/invoke/callee.default/method/a' },
    expect: reaches('/a'),
  },
  {
    name: 'path: app id of three parts is refused',
    send: { path: '/v1.0/invoke/a.b.c/method/x' },
    expect: { status: 500, body: directInvoke('a.b.c', 'invalid app id a.b.c') },
  },
  { name: 'path: no method part', send: { path: '/v1.0/invoke/callee' }, expect: nobody },
  {
    name: 'path: method without its slash',
    send: { path: '/v1.0/invoke/callee/method' },
    expect: nobody,
  },
  { name: 'path: empty app id', send: { path: '/v1.0/invoke//method/x' }, expect: nobody },
  {
    name: 'path: something other than method',
    send: { path: '/v1.0/invoke/callee/other/x' },
    expect: nobody,
  },
  {
    name: 'header: the whole path is the method',
    send: { path: '/foo/bar?x=1', headers: ['dapr-app-id: callee'] },
    expect: { status: 200, app: { url: '/foo/bar?x=1', headers: { 'dapr-app-id': null } } },
  },
  {
    name: 'header: also where a path looks like an API that is not',
    send: { path: '/v1.0/foo', headers: ['dapr-app-id: callee'] },
    expect: reaches('/v1.0/foo'),
  },
  {
    name: 'header: root',
    send: { path: '/', headers: ['dapr-app-id: callee'] },
    expect: reaches('/'),
  },
  {
    name: 'header: comes before the path',
    send: { path: '/v1.0/invoke/nobody/method/zz', headers: ['dapr-app-id: callee'] },
    expect: reaches('/v1.0/invoke/nobody/method/zz'),
  },
  {
    name: 'header: a verb an API path does not have is an invocation',
    send: { method: 'POST', path: '/v1.0/healthz', headers: ['dapr-app-id: callee'], body: 'x' },
    expect: reaches('/v1.0/healthz', 'POST'),
  },
  {
    name: 'header: of two the first counts',
    send: { path: '/zz', headers: ['dapr-app-id: callee', 'dapr-app-id: nobody'] },
    expect: reaches('/zz'),
  },
  {
    name: 'header: empty is as none',
    send: { path: '/zz', headers: ['dapr-app-id: '] },
    expect: nobody,
  },
  {
    name: 'basic auth: the password is the app id',
    send: { path: '/foo', headers: [basic('dapr-app-id:callee')] },
    expect: reaches('/foo'),
  },
  {
    name: 'basic auth: the user name in any case',
    send: { path: '/foo', headers: [basic('DAPR-APP-ID:callee')] },
    expect: reaches('/foo'),
  },
  {
    name: 'basic auth: another user is the application’s business',
    send: { path: '/foo', headers: [basic('joe:callee')] },
    expect: nobody,
  },
  {
    name: 'basic auth: comes before the path',
    send: { path: '/v1.0/invoke/nobody/method/x', headers: [basic('dapr-app-id:callee')] },
    expect: reaches('/v1.0/invoke/nobody/method/x'),
  },
  {
    name: 'outside: HTTPEndpoint by name, with its headers',
    send: { path: '/v1.0/invoke/outside/method/foo?x=1' },
    expect: {
      status: 200,
      app: {
        url: '/base/foo?x=1',
        headers: { 'x-endpoint': 'yes-it-is', 'dapr-caller-app-id': null, 'x-forwarded-for': null },
      },
    },
  },
  {
    name: 'outside: HTTPEndpoint, empty method',
    send: { path: '/v1.0/invoke/outside/method/' },
    expect: reaches('/base'),
  },
  {
    name: 'outside: HTTPEndpoint, a namespace is overlooked',
    send: { path: '/v1.0/invoke/outside.default/method/x' },
    expect: reaches('/base/x'),
  },
  {
    name: 'outside: .. hidden in an escaped slash does not leave the endpoint',
    send: { path: '/v1.0/invoke/outside/method/a/%2e%2e%2f..%2fb' },
    expect: reaches('/base/b'),
  },
  {
    name: 'path: .. hidden in an escaped slash is resolved',
    send: { path: invoke('a/%2e%2e%2fb') },
    expect: reaches('/b'),
  },
  {
    name: 'path: slashes too many before the app id',
    send: [
      { path: '//v1.0/invoke/callee/method/a' },
      { path: '/v1.0//invoke/callee/method/a' },
      { path: '//v1.0/healthz' },
    ],
    expect: [reaches('/a'), reaches('/a'), { status: 204 }],
  },
  {
    name: 'path: slashes too many right before the app id',
    send: { path: '/v1.0//invoke//callee/method//foo' },
    expect: reaches('/foo'),
  },
  {
    name: 'path: a question mark with nothing after it goes',
    send: { path: invoke('q?') },
    expect: reaches('/q'),
  },
  {
    name: 'path: a broken escape in the app id is no URL',
    send: { path: '/v1.0/invoke/cal%zzlee/method/x' },
    expect: { status: 400, headers: { traceparent: null } },
  },
  {
    name: 'path: .. does not lead to another API',
    send: { path: invoke('../../../metadata') },
    expect: reaches('/metadata'),
    daprd: {
      why: 'daprd cleans the whole path before it routes, so a method can name any API of the sidecar',
      expect: { status: 200, body: /"runtimeVersion"/ },
    },
  },
  {
    name: 'basic auth: a password with a colon is no app id',
    send: { path: '/foo', headers: [basic('dapr-app-id:callee:x')] },
    expect: nobody,
  },
  { name: 'path: .. is resolved', send: { path: invoke('a/../b') }, expect: reaches('/b') },
  {
    name: 'path: .. does not leave the method',
    send: { path: invoke('../../b') },
    expect: reaches('/b'),
  },
  {
    name: 'path: escaped .. is resolved',
    send: { path: invoke('a/%2e%2e/b') },
    expect: reaches('/b'),
  },
  { name: 'path: // is one slash', send: { path: invoke('/a//b') }, expect: reaches('/a/b') },
  {
    name: 'path: a slash at the end goes',
    send: { path: invoke('a/b/') },
    expect: reaches('/a/b'),
  },
  {
    name: 'path: escaped space and letters stay',
    send: { path: invoke('a%20b/%C3%A9') },
    expect: reaches('/a%20b/%C3%A9'),
  },
  {
    name: 'path: quotes, brackets and the like are escaped',
    send: { path: invoke('a"b<c>|d^e`f{g}') },
    expect: reaches('/a%22b%3Cc%3E%7Cd%5Ee%60f%7Bg%7D'),
  },
  {
    name: 'path: delimiters without meaning stay',
    send: { path: invoke("a+b;c=d,e@f:g!$&'()*") },
    expect: reaches("/a+b;c=d,e@f:g!$&'()*"),
  },
  {
    name: 'path: escaped # is refused',
    send: { path: invoke('a%23b') },
    expect: refused('method contains forbidden character: "a#b"'),
  },
  {
    name: 'path: bare # is refused',
    send: { path: invoke('a#b') },
    expect: refused('method contains forbidden character: "a#b"'),
  },
  {
    name: 'path: escaped ? is refused',
    send: { path: invoke('a%3Fb') },
    expect: refused('method contains forbidden character: "a?b"'),
  },
  {
    name: 'path: NUL is refused',
    send: { path: invoke('a%00b') },
    expect: refused('method contains forbidden character: "a\\x00b"'),
  },
  {
    name: 'path: control character is refused',
    send: { path: invoke('a%01b') },
    expect: refused('method contains control character at position 1: "a\\x01b"'),
  },
  {
    name: 'path: line break is refused',
    send: { path: invoke('a%0ab') },
    expect: refused('method contains control character at position 1: "a\\nb"'),
  },
  {
    name: 'path: a broken escape is no URL',
    send: { path: invoke('a%zz') },
    expect: { status: 400 },
  },
  {
    name: 'path: absolute form of the request line',
    send: { path: 'http://any.host/v1.0/invoke/callee/method/h' },
    expect: reaches('/h'),
  },
  {
    name: 'path: escaped slash stays escaped',
    send: { path: invoke('a%2Fb') },
    expect: reaches('/a%2Fb'),
    daprd: {
      why: 'daprd decodes it, so that the application cannot tell a slash in a name from one between names',
      expect: reaches('/a/b'),
    },
  },
  {
    name: 'path: escaped percent sign stays',
    send: { path: invoke('a%25b') },
    expect: reaches('/a%25b'),
    daprd: {
      why: 'daprd decodes twice and fails',
      expect: { status: 500, body: /invalid URL escape/ },
    },
  },
  ...[
    '/v1.0%2Finvoke/callee/method/h',
    '/v1.0/invoke%2fcallee/method/h',
    '/v1%2E0/%69nvoke/callee/method/h',
    '/v1.0/invoke/callee%2Fmethod/h',
    '/v1.0/invoke/callee/%6dethod%2Fh',
  ].map(
    (path): Case => ({
      name: `path: words of the route escaped: ${path}`,
      send: { path },
      expect: reaches('/h'),
    }),
  ),
  {
    name: 'path: words of the route in capitals',
    send: { path: '/V1.0/invoke/callee/method/h' },
    expect: nobody,
  },
  { name: 'no target at all', send: { path: '/anything' }, expect: nobody },
  { name: 'unknown path under /v1.0', send: { path: '/v1.0/foo' }, expect: nobody },
];
