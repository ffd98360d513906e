import type { AppSetup } from '../makes/app-mesh.ts';
import { type Case, directInvoke, NO_APP_ID } from '../makes/case.ts';

/** Sidecars with lists: of who may call, and of which APIs are offered. */
export const ACCESS_APPS = {
  caller: {},
  callee: {},
  closed: { spec: 'accessControl: { defaultAction: deny, trustDomain: public }' },
  capitals: { spec: 'accessControl: { defaultAction: DENY }' },
  odd: { spec: 'accessControl: { defaultAction: perhaps }' },
  emptied: { spec: 'accessControl: { defaultAction: "" }' },
  emptiedList: { spec: 'accessControl: { defaultAction: "", policies: [] }' },
  emptiedWhole: { spec: 'accessControl: { defaultAction: "", trustDomain: "" }' },
  listed: {
    spec: `accessControl:
  defaultAction: allow
  policies: [{ appId: caller, defaultAction: deny, trustDomain: public, namespace: default }]`,
  },
  domain: { spec: 'accessControl: { trustDomain: public }' },
  denying: {
    spec: `api:
  denied:
    - { name: state, version: v1.0, protocol: http }
    - { name: pub, version: v1.0, protocol: http }
    - { name: lock, version: v1alpha1, protocol: http }
    - { name: secrets, version: v1.0, protocol: grpc }
    - { name: healthz, version: v1.0, protocol: http }
    - { name: metadata, version: v1.0 }`,
  },
  few: {
    spec: `api:
  allowed: [{ name: metadata, version: v1, protocol: grpc }, { name: state, version: v1.0, protocol: http }]
  denied: [{ name: shutdown, version: v1, protocol: grpc }]`,
  },
  silent: { spec: 'api: { denied: [{ name: invoke, version: v1, protocol: http }] }' },
  allowing: { spec: 'api: { allowed: [{ name: state, version: v1.0, protocol: HTTP }] }' },
  both: {
    spec: `api:
  allowed: [{ name: state, version: v1.0, protocol: http }, { name: invoke, version: v1.0, protocol: http }]
  denied: [{ name: state, version: v1, protocol: http }]`,
  },
} as const satisfies Record<string, AppSetup>;

export type AccessApp = keyof typeof ACCESS_APPS;

const denied = (operation: string, verb: string, app = 'closed'): string =>
  directInvoke(
    app,
    `rpc error: code = PermissionDenied desc = access control policy has denied access to id:  operation: ${operation} verb: ${verb}`,
  );
const invoke = (app: string, method: string): string => `/v1.0/invoke/${app}/method/${method}`;
const NO_STATE = /"errorCode":"ERR_STATE_STORE_NOT_CONFIGURED"/;
const notFound = {
  status: 404,
  headers: { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' },
  body: '404 page not found\n',
};
const fallback = { status: 404, headers: { 'content-type': 'application/json' }, body: NO_APP_ID };

export const accessCases: readonly Case<AccessApp>[] = [
  {
    name: 'a default action that is empty denies, and one that is missing does not',
    send: { path: invoke('emptied', 'a0') },
    expect: { status: 403, body: denied('a0', 'GET', 'emptied') },
  },
  ...(['emptiedList', 'emptiedWhole'] as const).map((app) => ({
    name: `${app}: an empty default action of an empty list allows`,
    send: { path: invoke(app, 'a0') },
    expect: { status: 200 },
  })),
  {
    name: 'who is not let in gets 403 and Dapr’s words; without mTLS nobody knows the caller',
    send: { path: invoke('closed', 'a1') },
    expect: {
      status: 403,
      headers: { 'content-type': 'application/json' },
      body: denied('a1', 'GET'),
    },
    calls: { '/a1': 0 },
  },
  {
    name: 'the query is no part of the operation, and letters stay as they are',
    send: { method: 'PUT', path: invoke('closed', 'X/y?q=1'), body: 'hi' },
    expect: { status: 403, body: denied('X/y', 'PUT') },
  },
  {
    name: 'an operation is what is left of a path that was cleaned',
    send: [
      { path: invoke('closed', 'a//b') },
      { path: invoke('closed', 'a/../b/./c') },
      { path: invoke('closed', 'tr/') },
      { path: invoke('closed', '') },
    ],
    expect: ['a/b', 'b/c', 'tr', ''].map((name) => ({ status: 403, body: denied(name, 'GET') })),
  },
  {
    name: 'escapes of an operation are undone, also of slashes',
    send: { path: invoke('closed', 'a%2Fb%20c') },
    expect: { status: 403, body: denied('a/b c', 'GET') },
  },
  {
    name: 'letters beyond ASCII are told in UTF-8',
    send: { path: invoke('closed', 'a%C3%A9') },
    expect: { status: 403, body: Buffer.from(denied('aé', 'GET')).toString('latin1') },
  },
  {
    name: 'HEAD gets the status alone',
    send: { method: 'HEAD', path: invoke('closed', 'h') },
    expect: { status: 403, body: '' },
  },
  {
    name: 'a chunked body is not waited for',
    send: {
      method: 'POST',
      path: invoke('closed', 'chunked'),
      raw: `POST ${invoke('closed', 'chunked')} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n`,
    },
    expect: { status: 403, body: denied('chunked', 'POST') },
  },
  {
    name: 'a verb that Dapr does not know',
    send: { method: 'PURGE', path: invoke('closed', 'p') },
    expect: { status: 403, body: denied('p', 'PURGE') },
    daprd: {
      why: 'it makes a POST of verbs it does not know; ours stay what they are',
      expect: { status: 403, body: denied('p', 'POST') },
    },
  },
  {
    name: 'the target may be in a header',
    send: { path: '/by/header', headers: ['dapr-app-id: closed'] },
    expect: { status: 403, body: denied('by/header', 'GET') },
  },
  {
    name: 'an application may call itself',
    send: { to: 'closed', path: invoke('closed', 'self') },
    expect: { status: 200, app: { url: '/self' } },
  },
  {
    name: 'actions may be written in capitals',
    send: { path: invoke('capitals', 'x') },
    expect: { status: 403, body: denied('x', 'GET', 'capitals') },
  },
  {
    name: 'an action that is none denies',
    send: { path: invoke('odd', 'x') },
    expect: { status: 403, body: denied('x', 'GET', 'odd') },
  },
  {
    name: 'without mTLS policies for apps do not speak, only the default does',
    send: { path: invoke('listed', 'x') },
    expect: { status: 200, app: { url: '/x' } },
  },
  {
    name: 'a list without a default allows',
    send: { path: invoke('domain', 'x') },
    expect: { status: 200 },
  },
  {
    name: 'an API that is denied is as if it were not there: the request is an invocation without a target',
    send: [
      { to: 'denying', path: '/v1.0/state/s/k' },
      { to: 'denying', method: 'POST', path: '/v1.0/state/s', body: '[]' },
      { to: 'denying', method: 'POST', path: '/v1.0/state/s/transaction', body: '{}' },
    ],
    expect: [fallback, fallback, fallback],
  },
  {
    name: 'and with a target in a header it goes there',
    send: { to: 'denying', path: '/v1.0/state/s/k', headers: ['dapr-app-id: callee'] },
    expect: { status: 200, app: { url: '/v1.0/state/s/k' } },
  },
  {
    name: 'versions of an API are denied one by one',
    send: { to: 'denying', method: 'POST', path: '/v1.0-alpha1/state/s/query', body: '{}' },
    expect: { status: 500, body: NO_STATE },
  },
  {
    name: 'a name denies all that begins with it',
    send: [
      { to: 'denying', method: 'POST', path: '/v1.0/publish/p/t', body: '{}' },
      { to: 'denying', method: 'POST', path: '/v1.0/publish/bulk/p/t', body: '[]' },
      { to: 'denying', method: 'POST', path: '/v1.0-alpha1/publish/bulk/p/t', body: '[]' },
    ],
    expect: [fallback, fallback, { status: 404, body: /"errorCode":"ERR_PUBSUB_NOT_FOUND"/ }],
  },
  {
    name: 'a group with its version denies that group',
    send: [
      { to: 'denying', method: 'POST', path: '/v1.0-alpha1/lock/l', body: '{}' },
      { to: 'denying', method: 'POST', path: '/v1.0-alpha1/unlock/l', body: '{}' },
    ],
    expect: [fallback, { status: 500, body: /"errorCode":"ERR_LOCK_STORE_NOT_CONFIGURED"/ }],
  },
  {
    name: 'what is denied for gRPC, or for no protocol, is there over HTTP',
    send: [
      { to: 'denying', path: '/v1.0/secrets/s/k' },
      { to: 'denying', path: '/v1.0/metadata' },
    ],
    expect: [{ status: 500, body: /ERR_SECRET_STORES_NOT_CONFIGURED/ }, { status: 200 }],
  },
  {
    name: 'health cannot be denied',
    send: [
      { to: 'denying', path: '/v1.0/healthz' },
      { to: 'allowing', path: '/v1.0/healthz/outbound' },
    ],
    expect: [{ status: 204 }, { status: 204 }],
  },
  {
    name: 'without invocation nothing is left for a path that is no API',
    send: [
      { to: 'silent', path: invoke('callee', 'x') },
      { to: 'silent', path: '/x', headers: ['dapr-app-id: callee'] },
      { to: 'silent', path: '/anything' },
    ],
    expect: [notFound, notFound, notFound],
  },
  {
    name: 'but the other APIs are there',
    send: { to: 'silent', path: '/v1.0/state/s/k' },
    expect: { status: 500, body: NO_STATE },
  },
  {
    name: 'what is allowed is allowed alone',
    send: [
      { to: 'allowing', path: '/v1.0/state/s/k' },
      { to: 'allowing', path: '/v1.0/metadata' },
      { to: 'allowing', method: 'PUT', path: '/v1.0/metadata/k', body: 'v' },
      { to: 'allowing', path: invoke('callee', 'x') },
      { to: 'allowing', method: 'POST', path: '/v1.0/shutdown' },
      { to: 'allowing', method: 'POST', path: '/v1.0/bindings/b', body: '{}' },
    ],
    expect: [{ status: 500, body: NO_STATE }, notFound, notFound, notFound, notFound, notFound],
  },
  {
    name: 'what is both allowed and denied is denied',
    send: [
      { to: 'both', path: '/v1.0/state/s/k' },
      { to: 'both', path: '/v1.0/metadata' },
      { to: 'both', path: invoke('callee', 'y') },
    ],
    expect: [fallback, fallback, { status: 200, app: { url: '/y' } }],
  },
  {
    name: 'a denied API is denied with a slash too many',
    send: { to: 'denying', path: '/v1.0/state/s/k/' },
    expect: fallback,
  },
];
