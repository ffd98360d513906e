import type { AppSetup } from '../makes/app-mesh.ts';
import type { Case } from '../makes/case.ts';
import { componentYaml } from '../makes/component-yaml.ts';
import { API_TOKEN } from '../makes/one-sidecar.ts';

export const middleware = (
  name: string,
  kind: string,
  metadata?: Readonly<Record<string, string>>,
) => componentYaml(name, `middleware.http.${kind}`, metadata);
export const handlers = (...given: readonly (readonly [name: string, kind: string])[]): string =>
  `{ handlers: [${given.map(([name, kind]) => `{ name: ${name}, type: middleware.http.${kind} }`)}] }`;

const ROUTES = JSON.stringify({
  '/hello': '/v1.0/invoke/callee/method/x',
  '/h/{id}/info': '/v1.0/invoke/callee/method/y',
  '/q/{id:[0-9]+}/z': '/v1.0/invoke/callee/method/z',
  '/slash/': '/v1.0/invoke/callee/method/s',
  '/about': '/v1.0/metadata',
});

/** Sidecars with middleware before their API, or before their application. */
export const MIDDLEWARE_APPS = {
  caller: {},
  callee: {},
  upper: {
    spec: `httpPipeline: ${handlers(['up', 'uppercase'])}`,
    resources: {
      'up.yaml': middleware('up', 'uppercase'),
      's.yaml': componentYaml('s', 'state.in-memory'),
    },
  },
  upperAnswers: {
    spec: `httpPipeline: ${handlers(['up', 'uppercase'])}`,
    resources: {
      'up.yaml': middleware('up', 'uppercase', { direction: 'response' }),
      's.yaml': componentYaml('s', 'state.in-memory'),
    },
  },
  upperApp: {
    spec: `appHttpPipeline: ${handlers(['up', 'uppercase'])}`,
    resources: {
      'up.yaml': middleware('up', 'uppercase'),
      'outside.yaml': `
apiVersion: dapr.io/v1alpha1
kind: HTTPEndpoint
metadata: { name: outside }
spec: { baseUrl: "http://127.0.0.1:$APP/base" }
`,
    },
  },
  upperAppBoth: {
    spec: `appHttpPipeline: ${handlers(['up', 'uppercase'])}`,
    resources: { 'up.yaml': middleware('up', 'uppercase', { direction: 'both' }) },
  },
  alias: {
    spec: `httpPipeline: ${handlers(['names', 'routeralias'])}`,
    resources: { 'names.yaml': middleware('names', 'routeralias', { routes: ROUTES }) },
  },
  aliasOld: {
    spec: `httpPipeline: ${handlers(['names', 'routeralias'])}`,
    resources: {
      'names.yaml': middleware('names', 'routeralias', {
        '/Hello': '/v1.0/invoke/callee/method/x',
        '/h/{id}': '/v1.0/invoke/callee/method/y',
      }),
    },
  },
  aliasApp: {
    spec: `appHttpPipeline: ${handlers(['names', 'routeralias'])}`,
    resources: {
      'names.yaml': middleware('names', 'routeralias', {
        routes: '{"/hello":"/other","/h/{id}":"/o"}',
      }),
    },
  },
  aliasTabbed: {
    spec: `appHttpPipeline: ${handlers(['names', 'routeralias'])}`,
    resources: {
      // YAML asks for spaces in such lines, and Go's reader does not.
      'names.yaml': `apiVersion: dapr.io/v1alpha1
kind: Component
metadata: { name: names }
spec:
  type: middleware.http.routeralias
  Version: v1
  metadata:
  - Name: routes
    value: '{
\t"/hello": "/other",
"/h": "/o" }'
`,
    },
  },
  limited: {
    spec: `httpPipeline: ${handlers(['rate', 'ratelimit'])}`,
    resources: { 'rate.yaml': middleware('rate', 'ratelimit', { maxRequestsPerSecond: '0.01' }) },
  },
  limitedApp: {
    spec: `appHttpPipeline: ${handlers(['rate', 'ratelimit'])}`,
    resources: { 'rate.yaml': middleware('rate', 'ratelimit', { maxRequestsPerSecond: '0.01' }) },
  },
  skipping: {
    spec: `httpPipeline: ${handlers(['gone', 'bearer'], ['up', 'routerchecker'], ['up', 'uppercase'])}`,
    resources: { 'up.yaml': middleware('up', 'uppercase') },
  },
  locked: {
    spec: `httpPipeline: ${handlers(['rate', 'ratelimit'])}`,
    resources: { 'rate.yaml': middleware('rate', 'ratelimit', { maxRequestsPerSecond: '0.01' }) },
    secured: true,
  },
} as const satisfies Record<string, AppSetup>;

export type MiddlewareApp = keyof typeof MIDDLEWARE_APPS;

const invoke = (app: string, method: string): string => `/v1.0/invoke/${app}/method/${method}`;
const chunked = (path: string, body: string): string =>
  `POST ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`;
/** UTF-8 as the raw client reads and writes it: a letter for each byte. The echo adds a layer of its own. */
const bytes = (text: string): string => Buffer.from(text).toString('latin1');
const noTarget = { status: 404, body: /ERR_DIRECT_INVOKE/ };
const refused = {
  status: 429,
  headers: {
    'content-type': 'text/plain; charset=utf-8',
    'x-rate-limit-limit': '0.01',
    'x-rate-limit-duration': '1',
    'ratelimit-remaining': '0',
    'ratelimit-reset': '1',
  },
  body: 'You have reached maximum request limit.',
};

export const middlewareCases: readonly Case<MiddlewareApp>[] = [
  {
    name: 'uppercase: the body of a call',
    send: { to: 'upper', method: 'POST', path: invoke('callee', 'x'), body: 'hello 1' },
    expect: { status: 200, app: { body: 'HELLO 1', headers: { 'content-length': '7' } } },
  },
  {
    name: 'uppercase: a chunked body',
    send: { to: 'upper', raw: chunked(invoke('callee', 'x'), 'abc') },
    expect: { status: 200, app: { body: 'ABC' } },
  },
  {
    name: 'uppercase: letters beyond ASCII, and those that have no single capital',
    send: {
      to: 'upper',
      raw: chunked(invoke('callee', 'x'), bytes('é ß ж ÿ')),
    },
    expect: {
      status: 200,
      app: { body: bytes(bytes('É ß Ж Ÿ')) },
    },
  },
  {
    name: 'uppercase: the body of any API',
    send: [
      { to: 'upper', method: 'POST', path: '/v1.0/state/s', body: '[{"KEY":"A","VALUE":"b"}]' },
      { to: 'upper', path: '/v1.0/state/s/A' },
    ],
    expect: [{}, {}],
  },
  {
    name: 'uppercase: no body, nothing to do',
    send: { to: 'upper', path: invoke('callee', 'x') },
    expect: { status: 200, app: { url: '/x', body: '' } },
  },
  {
    name: 'uppercase: answers of a call, of an API, and refusals',
    send: [
      { to: 'upperAnswers', path: invoke('callee', 'big?bytes=40') },
      {
        to: 'upperAnswers',
        method: 'POST',
        path: '/v1.0/state/s',
        body: '[{"key":"a","value":"b"}]',
      },
      { to: 'upperAnswers', path: '/v1.0/state/s/a' },
      { to: 'upperAnswers', path: '/nothing' },
    ],
    expect: [
      { status: 200, body: 'X'.repeat(40) },
      { status: 204, body: '' },
      { status: 200, body: '"B"' },
      { status: 404, body: /^\{"ERRORCODE":"ERR_DIRECT_INVOKE","MESSAGE":"FAILED GETTING APP ID/ },
    ],
  },
  {
    name: 'uppercase before an application: calls of others, whole and chunked',
    send: [
      { method: 'POST', path: invoke('upperApp', 'x'), body: 'hello' },
      { raw: chunked(invoke('upperApp', 'x'), 'abc') },
    ],
    expect: [
      { status: 200, app: { body: 'HELLO' } },
      { status: 200, app: { body: 'ABC' } },
    ],
  },
  {
    name: 'uppercase before an application: its own calls of itself and of addresses outside, but not of other apps',
    send: [
      { to: 'upperApp', method: 'POST', path: invoke('upperApp', 'x'), body: 'hello' },
      { to: 'upperApp', method: 'POST', path: invoke('outside', 'x'), body: 'hello' },
      { to: 'upperApp', method: 'POST', path: invoke('callee', 'x'), body: 'hello' },
    ],
    expect: [
      { status: 200, app: { body: 'HELLO' } },
      { status: 200, app: { url: '/base/x', body: 'HELLO' } },
      { status: 200, app: { body: 'hello' } },
    ],
  },
  {
    name: 'uppercase before an application: its answers',
    send: { path: invoke('upperAppBoth', 'big?bytes=20000') },
    expect: { status: 200, body: 'X'.repeat(20_000) },
  },
  {
    name: 'alias: a path has another name, and the query stays',
    send: [
      { to: 'alias', path: '/hello' },
      { to: 'alias', path: '/hello?q=1&r=a%20b' },
      { to: 'alias', method: 'POST', path: '/hello', body: 'hi' },
    ],
    expect: [
      { status: 200, app: { url: '/x' } },
      { status: 200, app: { url: '/x?q=1&r=a%20b' } },
      { status: 200, app: { method: 'POST', url: '/x', body: 'hi' } },
    ],
  },
  {
    name: 'alias: what a name in the path holds becomes part of the query, sorted',
    send: [
      { to: 'alias', path: '/h/7/info' },
      { to: 'alias', path: '/h/a%20b/info?x=y&a=b' },
      { to: 'alias', path: '/q/7/z' },
    ],
    expect: [
      { status: 200, app: { url: '/y?id=7' } },
      { status: 200, app: { url: '/y?a=b&id=a+b&x=y' } },
      { status: 200, app: { url: '/z?id=7' } },
    ],
  },
  {
    name: 'alias: nothing but the whole path counts',
    send: ['/hello/', '/h/7%2F8/info', '/q/x/z', '/slash', '/hello/x', '/Hello'].map((path) => ({
      to: 'alias' as const,
      path,
    })),
    expect: Array(6).fill(noTarget),
  },
  {
    name: 'alias: a slash at the end is part of it',
    send: { to: 'alias', path: '/slash/' },
    expect: { status: 200, app: { url: '/s' } },
  },
  {
    name: 'alias: of any API',
    send: { to: 'alias', path: '/about' },
    expect: { status: 200, body: /^\{"id":"alias"/ },
    daprd: {
      why: 'it has chosen the route by then, so aliases reach invocation only; ours reach what they name',
      expect: noTarget,
    },
  },
  {
    name: 'alias: routes as items of the metadata, with their letters',
    send: [
      { to: 'aliasOld', path: '/Hello' },
      { to: 'aliasOld', path: '/hello' },
      { to: 'aliasOld', path: '/h/a%20b' },
    ],
    expect: [
      { status: 200, app: { url: '/x' } },
      noTarget,
      { status: 200, app: { url: '/y?id=a+b' } },
    ],
  },
  {
    name: 'alias before an application',
    send: [{ path: invoke('aliasApp', 'hello') }, { path: invoke('aliasApp', 'zz') }],
    expect: [
      { status: 200, app: { url: '/other' } },
      { status: 200, app: { url: '/zz' } },
    ],
  },
  {
    name: 'fields in any case, and a quoted text that goes on with tabs or at the margin, are read as Go reads them',
    send: [{ path: invoke('aliasTabbed', 'hello') }, { path: invoke('aliasTabbed', 'h') }],
    expect: [
      { status: 200, app: { url: '/other' } },
      { status: 200, app: { url: '/o' } },
    ],
  },
  {
    name: 'alias before an application, with a name in the path',
    send: { path: invoke('aliasApp', 'h/3?z=1') },
    expect: { status: 200, app: { url: '/o?id=3&z=1' } },
    daprd: {
      why: 'it fails ("RequestURI can\'t be set in client requests"); ours does what the alias says',
      expect: { status: 500 },
    },
  },
  {
    name: 'rate: beyond it, 429 with its headers, and they are on what passes too',
    send: [
      { to: 'limited', path: invoke('callee', 'r1') },
      { to: 'limited', path: invoke('callee', 'r1?other=query') },
    ],
    expect: [
      { status: 200, headers: { 'x-rate-limit-limit': '0.01', 'ratelimit-remaining': '0' } },
      refused,
    ],
    calls: { '/r1': 1 },
  },
  {
    name: 'rate: paths and clients are told apart',
    send: [
      { to: 'limited', path: invoke('callee', 'r2') },
      { to: 'limited', path: invoke('callee', 'r3') },
      { to: 'limited', path: invoke('callee', 'r3'), headers: ['X-Forwarded-For: 1.2.3.4'] },
      {
        to: 'limited',
        path: invoke('callee', 'r3'),
        headers: ['X-Forwarded-For: 9.9.9.9, 1.2.3.4'],
      },
      { to: 'limited', path: invoke('callee', 'r3'), headers: ['X-Real-IP: 1.2.3.5'] },
      { to: 'limited', path: invoke('callee', 'r3'), method: 'POST', body: 'x' },
    ],
    expect: [{ status: 200 }, { status: 200 }, { status: 200 }, refused, { status: 200 }, refused],
  },
  {
    name: 'rate: health and unknown paths are asked too',
    send: [
      { to: 'limited', path: '/v1.0/healthz/outbound' },
      { to: 'limited', path: '/v1.0/healthz/outbound' },
      { to: 'limited', path: '/nothing' },
      { to: 'limited', path: '/nothing' },
    ],
    expect: [
      { status: 204, headers: { 'ratelimit-remaining': '0' } },
      refused,
      { status: 404, headers: { 'ratelimit-remaining': '0' } },
      refused,
    ],
  },
  {
    name: 'rate before an application: what it refuses is the application’s answer',
    send: [{ path: invoke('limitedApp', 'm1') }, { path: invoke('limitedApp', 'm1') }],
    expect: [{ status: 200, headers: { 'x-rate-limit-limit': '0.01' } }, refused],
    calls: { '/m1': 1 },
  },
  {
    name: 'a handler whose component is not there, or of another type, is skipped',
    send: { to: 'skipping', method: 'POST', path: invoke('callee', 'x'), body: 'hello' },
    expect: { status: 200, app: { body: 'HELLO' } },
  },
  {
    name: 'the token of the API is asked before middleware',
    send: [
      { to: 'locked', path: invoke('callee', 't1') },
      { to: 'locked', path: invoke('callee', 't1'), headers: [`dapr-api-token: ${API_TOKEN}`] },
      { to: 'locked', path: invoke('callee', 't1'), headers: [`dapr-api-token: ${API_TOKEN}`] },
    ],
    expect: [{ status: 401, headers: { 'x-rate-limit-limit': null } }, { status: 200 }, refused],
  },
  {
    name: 'middleware is among the components of the metadata',
    send: { to: 'upper', path: '/v1.0/metadata' },
    expect: {
      status: 200,
      body: /\{"name":"up","type":"middleware\.http\.uppercase","version":"v1"/,
    },
  },
];
