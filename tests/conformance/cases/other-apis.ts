import type { Case } from '../makes/case.ts';
import { API_TOKEN, APP_TOKEN } from '../makes/one-sidecar.ts';

const error = (errorCode: string, message: string): string =>
  JSON.stringify({ errorCode, message });
const token = `dapr-api-token: ${API_TOKEN}`;
const wrongToken = {
  status: 401,
  headers: { 'content-type': 'text/plain; charset=utf-8' },
  body: 'invalid api token\n',
};

export const otherApis: readonly Case[] = [
  {
    name: 'health',
    send: { path: '/v1.0/healthz' },
    expect: { status: 204, body: '', headers: { traceparent: null } },
  },
  {
    name: 'health: is asked whatever the baggage',
    send: { path: '/v1.0/healthz', headers: ['baggage: ;;'] },
    expect: { status: 204, headers: { baggage: null } },
  },
  {
    name: 'health: paths under it are no part of a trace',
    send: { path: '/v1.0/healthz/x' },
    expect: { status: 404, headers: { traceparent: null } },
  },
  { name: 'health: a slash too many', send: { path: '/v1.0/healthz/' }, expect: { status: 204 } },
  {
    name: 'health: of the right app',
    send: { path: '/v1.0/healthz?appid=caller' },
    expect: { status: 204 },
  },
  {
    name: 'health: of another app',
    send: { path: '/v1.0/healthz?appid=zz' },
    expect: {
      status: 500,
      body: error('ERR_HEALTH_APPID_NOT_MATCH', 'dapr app-id does not match'),
    },
  },
  { name: 'health: outbound', send: { path: '/v1.0/healthz/outbound' }, expect: { status: 204 } },
  {
    name: 'health: without an application',
    send: { to: 'noport', path: '/v1.0/healthz' },
    expect: { status: 204 },
  },
  {
    name: 'metadata',
    send: { path: '/v1.0/metadata' },
    expect: {
      status: 200,
      headers: { 'content-type': 'application/json' },
      body: /^\{"id":"caller","runtimeVersion":"[\d.]+","enabledFeatures":\[.*"extended":\{.*"daprRuntimeVersion":"[\d.]+".*"httpEndpoints":\[.*"name":"outside".*"appConnectionProperties":\{"port":\d+,"protocol":"http","channelAddress":"127\.0\.0\.1"\}.*"resiliencies":\[\{"name":"conformance"\}\]/,
    },
  },
  {
    name: 'metadata: without an application',
    send: { to: 'noport', path: '/v1.0/metadata' },
    expect: { status: 200, body: /"appConnectionProperties":\{"protocol":"http"/ },
  },
  {
    name: 'metadata: a key is kept',
    send: [
      { method: 'PUT', path: '/v1.0/metadata/k%201', body: 'v 1' },
      { method: 'PUT', path: '/v1.0/metadata/k+2', body: 'v 2' },
      { path: '/v1.0/metadata' },
      { path: '/v1.0/metadata' },
    ],
    expect: [
      { status: 204, body: '' },
      { status: 204, body: '' },
      { status: 200, body: /"k 2":"v 2"/ },
      { status: 200, body: /"k 1":"v 1"/ },
    ],
  },
  {
    name: 'metadata: other verbs are invocations',
    send: { method: 'POST', path: '/v1.0/metadata/k1', body: 'v1' },
    expect: { status: 404, body: /ERR_DIRECT_INVOKE/ },
  },
  {
    name: 'state: no store',
    send: { path: '/v1.0/state/s/k' },
    expect: {
      status: 500,
      body: /^\{"errorCode":"ERR_STATE_STORE_NOT_CONFIGURED","message":"state store s is not configured","details":\[\{.*"DAPR_STATE_NOT_CONFIGURED"/,
    },
  },
  {
    name: 'state: no store to query, and the error says nothing of who asked',
    send: { method: 'POST', path: '/v1.0-alpha1/state/s/query', body: '{}' },
    expect: { status: 500, body: /"ERR_STATE_STORE_NOT_CONFIGURED".*"metadata":null/ },
  },
  {
    name: 'state: no store, and the error says whose it was',
    send: { path: '/v1.0/state/s/k' },
    expect: { status: 500, body: /"metadata":\{"appID":"caller"\}/ },
  },
  {
    name: 'state: reading without a key is no call of that API',
    send: { path: '/v1.0/state/s' },
    expect: { status: 404, body: /ERR_DIRECT_INVOKE/ },
  },
  {
    name: 'state: no store, saving',
    send: { method: 'POST', path: '/v1.0/state/s', body: '[]' },
    expect: { status: 500, body: /ERR_STATE_STORE_NOT_CONFIGURED/ },
  },
  {
    name: 'publish: no broker',
    send: { method: 'POST', path: '/v1.0/publish/p/t', body: '{}' },
    expect: {
      status: 404,
      body: /^\{"errorCode":"ERR_PUBSUB_NOT_FOUND","message":"pubsub p is not found","details":\[\{.*"DAPR_PUBSUB_NOT_FOUND"/,
    },
  },
  {
    name: 'publish: bulk, no broker',
    send: { method: 'POST', path: '/v1.0/publish/bulk/p/t', body: '[]' },
    expect: { status: 404, body: /ERR_PUBSUB_NOT_FOUND/ },
  },
  {
    name: 'secrets: no store',
    send: { path: '/v1.0/secrets/s/k' },
    expect: {
      status: 500,
      body: error('ERR_SECRET_STORES_NOT_CONFIGURED', 'secret store is not configured'),
    },
  },
  {
    name: 'configuration: no store',
    send: { path: '/v1.0/configuration/c?key=a' },
    expect: {
      status: 500,
      body: error('ERR_CONFIGURATION_STORE_NOT_CONFIGURED', 'configuration stores not configured'),
    },
  },
  {
    name: 'token: missing',
    send: { to: 'secured', path: '/v1.0/invoke/callee/method/h' },
    expect: wrongToken,
  },
  {
    name: 'token: wrong',
    send: {
      to: 'secured',
      path: '/v1.0/invoke/callee/method/h',
      headers: ['dapr-api-token: nonsense'],
    },
    expect: wrongToken,
  },
  {
    name: 'token: right, and it stays here',
    send: { to: 'secured', path: '/v1.0/invoke/callee/method/h', headers: [token] },
    expect: { status: 200, app: { headers: { 'dapr-api-token': null } } },
  },
  {
    name: 'token: the application gets its own',
    send: { path: '/v1.0/invoke/secured/method/h', headers: ['dapr-api-token: nonsense'] },
    expect: { status: 200, app: { headers: { 'dapr-api-token': APP_TOKEN } } },
  },
  {
    name: 'token: where none is asked for it passes like any header',
    send: { path: '/v1.0/invoke/callee/method/h', headers: ['dapr-api-token: zz'] },
    expect: { status: 200, app: { headers: { 'dapr-api-token': 'zz' } } },
  },
  {
    name: 'token: not for health',
    send: { to: 'secured', path: '/v1.0/healthz' },
    expect: { status: 204 },
  },
  {
    name: 'token: not for outbound health',
    send: { to: 'secured', path: '/v1.0/healthz/outbound' },
    expect: { status: 204 },
  },
  {
    name: 'token: for metadata',
    send: { to: 'secured', path: '/v1.0/metadata' },
    expect: wrongToken,
  },
  { name: 'token: for unknown paths', send: { to: 'secured', path: '/zz' }, expect: wrongToken },
  {
    name: 'token: for shutdown',
    send: { to: 'secured', method: 'POST', path: '/v1.0/shutdown' },
    expect: wrongToken,
  },
];
