import type { AppSetup } from '../makes/app-mesh.ts';
import { type Case, directInvoke, type Expected } from '../makes/case.ts';

const policy = (
  rest: string,
  app = 'caller',
  namespace = 'default',
  trustDomain = 'public',
): string => `{ appId: ${app}, namespace: ${namespace}, trustDomain: ${trustDomain}, ${rest} }`;
const list = (defaultAction: string, ...policies: readonly string[]): AppSetup => ({
  spec: `accessControl:
  defaultAction: ${defaultAction}
  policies: [${policies.join(', ')}]`,
});
const operation = (name: string, verbs = '"*"', action = 'allow'): string =>
  `{ name: "${name}", httpVerb: [${verbs}], action: ${action} }`;
const operations = (...given: readonly string[]): string =>
  `defaultAction: deny, operations: [${given.join(', ')}]`;

/** Sidecars that know each other by certificates, with lists of who may call what. */
export const IDENTITY_APPS = {
  caller: {},
  stranger: {},
  shop: list(
    'deny',
    policy(
      operations(
        operation('/exact/one', 'GET, POST'),
        operation('noslash', 'GET'),
        operation('/Capitals', 'GET'),
        operation('/one/*', 'GET'),
        operation('/rest/**', 'GET'),
        operation('/mid/*/end', 'GET'),
        operation('/glob-*/x', 'GET'),
        operation('/pre*', 'GET'),
        operation('/a b', 'GET'),
        operation('/mixed', 'GET, "*"', 'allow'),
        operation('/small', 'get'),
        operation('/noverb', ''),
        operation('/closed', '"*"', 'deny'),
      ),
    ),
  ),
  order: list(
    'deny',
    policy(
      operations(
        operation('/a/*'),
        operation('/a/secret', '"*"', 'deny'),
        operation('/b/secret', '"*"', 'deny'),
        operation('/b/*'),
        operation('/c'),
        operation('/c/secret', '"*"', 'deny'),
        operation('/d/e/**'),
        operation('/d/*', '"*"', 'deny'),
        operation('/twice', '"*"'),
        operation('/twice', '"*"', 'deny'),
        operation('/f/*/x'),
        operation('/f/y/z'),
      ),
    ),
  ),
  lax: list('allow', policy(operations(operation('/open', 'GET')))),
  undecided: list(
    'allow',
    policy(`operations: [${operation('/x', 'GET', 'deny')}, ${operation('/y', 'POST')}]`),
  ),
  everything: list('deny', policy(operations(operation('/**', 'GET')))),
  root: list('deny', policy(operations(operation('/', 'GET')))),
  elsewhere: list('deny', policy('defaultAction: allow', 'caller', 'default', 'elsewhere')),
  otherSpace: list('deny', policy('defaultAction: allow', 'caller', 'test')),
  odd: list(
    'allow',
    policy(`defaultAction: maybe, operations: [${operation('/x', 'GET', 'ALLOW')}]`),
  ),
  replaced: list(
    'deny',
    policy('defaultAction: allow'),
    policy(operations(operation('/x', 'GET'))),
  ),
  /** By its name it is told that its application speaks gRPC. */
  spoken: list('deny', policy(operations(operation('/open', 'GET')))),
} as const satisfies Record<string, AppSetup>;

export type IdentityApp = keyof typeof IDENTITY_APPS;

const request = (app: string, call: string, to: IdentityApp = 'caller') => {
  const [method = '', path = ''] = call.split(' ');
  return { to, method, path: `/v1.0/invoke/${app}/method/${path}` };
};

const refusal = (app: string, call: string, name?: string, caller = 'caller'): Expected => {
  const [verb, path = ''] = call.split(' ');
  const desc = `access control policy has denied access to id: spiffe://public/ns/default/${caller} operation: ${name ?? path} verb: ${verb}`;
  return {
    status: 403,
    body: directInvoke(app, `rpc error: code = PermissionDenied desc = ${desc}`),
  };
};

/** Calls of one app that are let in, and that are not. */
function verdicts(
  name: string,
  app: IdentityApp,
  {
    allowed = [],
    denied = [],
  }: { readonly allowed?: readonly string[]; readonly denied?: readonly string[] },
): Case<IdentityApp> {
  return {
    name: `${app}: ${name}`,
    send: [...allowed, ...denied].map((call) => request(app, call)),
    expect: [
      ...allowed.map((): Expected => ({ status: 200 })),
      ...denied.map((call) => refusal(app, call)),
    ],
  };
}

/** Ways past what is allowed to what is not, for whoever takes an escape for the end of a path, or reads it late. */
const waysPast = (...escapes: readonly string[]): readonly string[] =>
  escapes.flatMap((escaped) => [
    `exact/one${escaped}/../../closed`,
    `rest/a${escaped}/../../closed`,
    `rest/${escaped}/../../../closed`,
  ]);
const ODD_WAYS_PAST = [
  ...waysPast('', '%25', '%5C', '%3B', '%C0%AE'),
  'exact/one%2F..%2F..%2Fclosed',
  'rest/a%2F..%2F..%2Fclosed',
  'rest/%2e%2e/closed',
  'rest/.%2E/closed',
  'rest%2F..%2Fclosed',
];
const FORBIDDEN_WAYS_PAST = waysPast('%23', '%3F', '%3f', '%0D', '%0A', '%00');

export const identityCases: readonly Case<IdentityApp>[] = [
  {
    name: 'spoken: an application over gRPC is called without a verb, whatever its caller came with',
    send: ['POST closed', 'GET closed'].map((call) => request('spoken', call)),
    expect: ['NONE closed', 'NONE closed'].map((call) => refusal('spoken', call)),
  },
  verdicts('an operation, by its verbs', 'shop', {
    allowed: ['GET exact/one', 'POST exact/one'],
    denied: ['PUT exact/one', 'GET exact', 'GET exact/two', 'GET other'],
  }),
  verdicts('a name is for all below it', 'shop', {
    allowed: ['GET exact/one/more', 'GET noslash/a/b'],
    denied: ['GET exact/onemore'],
  }),
  verdicts('a slash at the beginning may be left out, and letters do not count', 'shop', {
    allowed: ['GET noslash', 'GET NOSLASH', 'GET capitals', 'GET CAPITALS/x'],
  }),
  verdicts('a star is for one segment, or none', 'shop', {
    allowed: ['GET one', 'GET one/x'],
    denied: ['GET one/x/y', 'POST one/x'],
  }),
  verdicts('two stars are for all that follows, or nothing', 'shop', {
    allowed: ['GET rest', 'GET rest/x', 'GET rest/x/y/z'],
    denied: ['POST rest/x', 'GET restless'],
  }),
  verdicts('a star in the middle is for nothing: daprd looks for it at the end only', 'shop', {
    denied: ['GET mid/x/end', 'GET mid/x', 'GET mid'],
  }),
  verdicts('a star within a segment', 'shop', {
    allowed: ['GET glob-7/x', 'GET glob-/x', 'GET pre', 'GET prefix', 'GET prefix/below'],
    denied: ['GET glob/x', 'GET glob-7/y', 'GET pr'],
  }),
  verdicts('a star among verbs is for all of them', 'shop', {
    allowed: ['GET mixed', 'DELETE mixed', 'PATCH mixed', 'HEAD mixed'],
  }),
  verdicts('verbs in small letters, and no verbs, are for nothing', 'shop', {
    denied: ['GET small', 'GET noverb', 'POST noverb'],
  }),
  verdicts('what is closed is closed', 'shop', { denied: ['GET closed', 'DELETE closed/x'] }),
  verdicts('of what fits, the first in the file is taken', 'order', {
    allowed: ['GET a/secret', 'GET b/other', 'GET c/secret', 'GET d/e/f', 'GET d/e', 'GET twice'],
    denied: ['GET b/secret', 'GET d/x', 'GET d'],
  }),
  verdicts('a segment that is a star is passed over for what is longer', 'order', {
    allowed: ['GET f/y/z'],
    denied: ['GET f/q/x'],
  }),
  verdicts('a policy’s default stands above the list’s', 'lax', {
    allowed: ['GET open'],
    denied: ['POST open', 'GET other'],
  }),
  verdicts('without one the list’s default speaks', 'undecided', {
    allowed: ['GET y', 'GET z', 'POST x'],
    denied: ['GET x'],
  }),
  verdicts('two stars at the root are for everything', 'everything', {
    allowed: ['GET ', 'GET a', 'GET a/b/c'],
    denied: ['POST a'],
  }),
  verdicts('the root alone', 'root', { allowed: ['GET '], denied: ['GET a'] }),
  verdicts('a policy of another trust domain does not count', 'elsewhere', { denied: ['GET x'] }),
  verdicts('a policy of another namespace does not count', 'otherSpace', { denied: ['GET x'] }),
  verdicts('an action that is none denies, capitals are letters', 'odd', {
    allowed: ['GET x'],
    denied: ['GET y'],
  }),
  verdicts('of two policies for one app the later counts', 'replaced', {
    allowed: ['GET x'],
    denied: ['GET y'],
  }),
  {
    name: 'an app without a policy meets the list’s default',
    send: [request('shop', 'GET exact/one', 'stranger'), request('lax', 'GET x', 'stranger')],
    expect: [refusal('shop', 'GET exact/one', undefined, 'stranger'), { status: 200 }],
  },
  {
    name: 'nobody is who a header says he is',
    send: {
      ...request('shop', 'GET exact/one', 'stranger'),
      headers: ['dapr-caller-app-id: caller', 'dapr-caller-namespace: default'],
    },
    expect: refusal('shop', 'GET exact/one', undefined, 'stranger'),
  },
  {
    name: 'a query and a cleaned path do not change the operation',
    send: [
      request('shop', 'GET exact/one?x=/../closed'),
      request('shop', 'GET closed/../exact/./one'),
      request('shop', 'GET exact/one/../../closed'),
      request('shop', 'GET %65xact/one'),
      request('shop', 'GET a%20b'),
    ],
    expect: [
      { status: 200 },
      { status: 200, app: { url: '/exact/one' } },
      refusal('shop', 'GET closed'),
      { status: 200 },
      { status: 200, app: { url: '/a%20b' } },
    ],
  },
  {
    name: 'what is escaped before two dots does not hide them',
    send: ODD_WAYS_PAST.map((path) => request('shop', `GET ${path}`)),
    expect: ODD_WAYS_PAST.map(() => ({ status: 403 })),
  },
  {
    name: 'what may not be in a method does not hide two dots either',
    send: FORBIDDEN_WAYS_PAST.map((path) => request('shop', `GET ${path}`)),
    expect: FORBIDDEN_WAYS_PAST.map(() => ({ status: 500 })),
    daprd: {
      why: 'it looks only at what is left when the dots are resolved, and its list refuses that',
      expect: FORBIDDEN_WAYS_PAST.map(() => ({ status: 403 })),
    },
  },
  {
    name: 'an escaped slash must be allowed in both readings',
    send: [request('shop', 'GET one%2Fx'), request('shop', 'GET rest/x%2Fy')],
    expect: [refusal('shop', 'GET one%2Fx', 'one/x'), { status: 200, app: { url: '/rest/x%2Fy' } }],
    daprd: {
      why: 'it makes a slash of it, and so the application sees another path than the client wrote',
      expect: [
        { status: 200, app: { url: '/one/x' } },
        { status: 200, app: { url: '/rest/x/y' } },
      ],
    },
  },
  {
    name: 'an application may call itself, whatever the list says',
    send: request('shop', 'GET closed', 'shop'),
    expect: { status: 200, app: { url: '/closed' } },
  },
];
