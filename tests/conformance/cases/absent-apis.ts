import type { Case, Expected } from '../makes/case.ts';

const ACTOR = '/v1.0/actors/t/i';
const NO_PLACEMENT: Expected = { status: 400, body: /"ERR_ACTOR_NO_PLACEMENT"/ };
const NO_SCHEDULER: Expected = { status: 500, body: /scheduler clients are disabled/ };
const NOT_HERE: Expected = { status: 501, body: /"ERR_API_UNIMPLEMENTED"/ };

/** API, verb, path, and what a daprd says that lacks what it takes. */
const ASKED: readonly (readonly [api: string, verb: string, path: string, daprd: Expected])[] = [
  ['actors', 'POST', `${ACTOR}/method/m`, NO_PLACEMENT],
  ['actors', 'GET', `${ACTOR}/method/m`, NO_PLACEMENT],
  ['actors', 'GET', `${ACTOR}/state/k`, NO_PLACEMENT],
  ['actors', 'GET', `${ACTOR}/reminders/r`, NO_PLACEMENT],
  ['actors', 'DELETE', `${ACTOR}/timers/t`, NO_PLACEMENT],
  ['workflow', 'GET', '/v1.0/workflows/dapr/i', NO_PLACEMENT],
  ['workflow', 'POST', '/v1.0/workflows/dapr/w/start', NO_PLACEMENT],
  ['workflow', 'POST', '/v1.0-beta1/workflows/dapr/i/raiseEvent/e', NO_PLACEMENT],
  ['workflow', 'POST', '/v1.0-alpha1/workflows/dapr/i/purge', NO_PLACEMENT],
  ['jobs', 'GET', '/v1.0-alpha1/jobs/j', NO_SCHEDULER],
  ['jobs', 'DELETE', '/v1.0/jobs/j', NO_SCHEDULER],
  [
    'cryptography',
    'PUT',
    '/v1.0-alpha1/crypto/c/encrypt',
    { status: 500, body: /"ERR_CRYPTO_PROVIDERS_NOT_CONFIGURED"/ },
  ],
  ['cryptography', 'POST', '/v1.0-alpha1/subtlecrypto/c/wrapkey', NOT_HERE],
  [
    'conversation',
    'POST',
    '/v1.0-alpha2/conversation/c/converse',
    { status: 400, body: /"ERR_CONVERSATION_NOT_FOUND"/ },
  ],
];

/** Beside the routes of those APIs: nothing of theirs, and so an application's. */
const BESIDE: readonly (readonly [verb: string, path: string])[] = [
  ['PATCH', `${ACTOR}/method/m`],
  ['POST', `${ACTOR}/method/a/b`],
  ['GET', `${ACTOR}/timers/t`],
  ['GET', ACTOR],
  ['POST', '/v1.0-alpha1/actors/t/i/method/m'],
  ['POST', '/v1.0/workflows/dapr/i'],
  ['GET', '/v1.0/workflows/dapr/w/start'],
  ['PUT', '/v1.0/jobs/j'],
  ['POST', '/v1.0-alpha1/crypto/c/encrypt'],
  ['GET', '/v1.0-alpha1/subtlecrypto/c/sign'],
  ['POST', '/v1.0-alpha1/subtlecrypto/c/other'],
];

export const absentApis: readonly Case[] = [
  ...ASKED.map(
    ([api, method, path, expect]): Case => ({
      name: `${api}: ${method} ${path} is not here`,
      send: { method, path, ...(method === 'GET' ? {} : { body: '{}' }) },
      expect: {
        status: 501,
        body: JSON.stringify({
          errorCode: 'ERR_API_UNIMPLEMENTED',
          message: `the ${api} API is not in this version of Holdfast; run daprd for it`,
        }),
      },
      daprd: {
        why: 'it has the API, and would work with a service or component that it lacks',
        expect,
      },
    }),
  ),
  ...BESIDE.map(
    ([method, path]): Case => ({
      name: `absent APIs: ${method} ${path} is none of theirs`,
      send: {
        ...{ method, path, headers: ['dapr-app-id: callee'] },
        ...(method === 'GET' ? {} : { body: '{}' }),
      },
      expect: { status: 200, app: { method, url: path } },
    }),
  ),
];
