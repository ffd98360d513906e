import type { ApiCall } from './api-call.ts';

/** Routes of Dapr's API, as daprd has them, that this version does not have. */
const NOT_OFFERED: readonly (readonly [api: string, verbs: string, path: RegExp])[] = [
  ['actors', 'POST PUT', /^\/v1\.0\/actors\/[^/]+\/[^/]+\/state$/],
  ['actors', 'GET', /^\/v1\.0\/actors\/[^/]+\/[^/]+\/state\/[^/]+$/],
  ['actors', 'GET POST PUT DELETE', /^\/v1\.0\/actors\/[^/]+\/[^/]+\/(?:method|reminders)\/[^/]+$/],
  ['actors', 'POST PUT DELETE', /^\/v1\.0\/actors\/[^/]+\/[^/]+\/timers\/[^/]+$/],
  ['workflow', 'GET', /^\/v1\.0(?:-alpha1|-beta1)?\/workflows\/[^/]+\/[^/]+$/],
  [
    'workflow',
    'POST',
    /^\/v1\.0(?:-alpha1|-beta1)?\/workflows\/[^/]+\/[^/]+\/(?:start|pause|resume|terminate|purge|raiseEvent\/[^/]+)$/,
  ],
  ['jobs', 'GET POST DELETE', /^\/v1\.0(?:-alpha1)?\/jobs\/[^/]+$/],
  ['cryptography', 'PUT', /^\/v1\.0-alpha1\/crypto\/[^/]+\/(?:en|de)crypt$/],
  [
    'cryptography',
    'POST',
    /^\/v1\.0-alpha1\/subtlecrypto\/[^/]+\/(?:getkey|(?:en|de)crypt|(?:un)?wrapkey|sign|verify)$/,
  ],
  ['conversation', 'POST', /^\/v1\.0-alpha[12]\/conversation\/[^/]+\/converse$/],
];

/** What whoever asks for such an API is told, over HTTP and gRPC. */
export const notOfferedWords = (api: string): string =>
  `the ${api} API is not in this version of Holdfast; run daprd for it`;

/** Answers a call of an API that is not here, whatever is configured; false if it is none. */
export function notOffered(call: ApiCall, path: string): boolean {
  const found = NOT_OFFERED.find(
    ([, verbs, pattern]) => verbs.split(' ').includes(call.head.method) && pattern.test(path),
  );
  if (found === undefined) return false;
  call.error(501, { errorCode: 'ERR_API_UNIMPLEMENTED', message: notOfferedWords(found[0]) });
  return true;
}
