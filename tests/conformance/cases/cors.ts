import type { Case } from '../makes/case.ts';

const A = 'Origin: http://a.example';
const PREFLIGHT = 'Access-Control-Request-Method: POST';
const METHOD = '/v1.0/invoke/probe/method/m';
const VARY = 'Origin';
const VARY_PREFLIGHT = 'Origin, Access-Control-Request-Method, Access-Control-Request-Headers';

const granted = (origin: string) => ({ 'access-control-allow-origin': origin, vary: VARY });
const NOT_GRANTED = { 'access-control-allow-origin': null, vary: VARY };

/** Started with `--allowed-origins http://a.example,https://*.b.example`. */
export const corsSome: readonly Case<never>[] = [
  {
    name: 'an origin of the list',
    send: { path: METHOD, headers: [A] },
    expect: { status: 200, headers: granted('http://a.example') },
  },
  {
    name: 'an origin in another case is answered as it wrote itself',
    send: { path: METHOD, headers: ['Origin: HTTP://A.example'] },
    expect: { status: 200, headers: granted('HTTP://A.example') },
  },
  {
    name: 'a subdomain',
    send: { path: METHOD, headers: ['Origin: https://x.y.b.example'] },
    expect: { status: 200, headers: granted('https://x.y.b.example') },
  },
  {
    name: 'the domain itself is no subdomain',
    send: { path: METHOD, headers: ['Origin: https://b.example'] },
    expect: { status: 200, headers: NOT_GRANTED },
  },
  {
    name: 'an origin of nobody is served, and told nothing',
    send: { path: METHOD, headers: ['Origin: http://evil.example'] },
    expect: {
      status: 200,
      headers: NOT_GRANTED,
      app: { headers: { origin: 'http://evil.example' } },
    },
  },
  {
    name: 'no origin',
    send: { path: METHOD },
    expect: { status: 200, headers: NOT_GRANTED },
  },
  {
    name: 'health has it too',
    send: { path: '/v1.0/healthz', headers: [A] },
    expect: { status: 204, headers: granted('http://a.example') },
  },
  {
    name: 'an error has it too',
    send: { path: '/v1.0/nothing', headers: [A] },
    expect: { status: 404, headers: granted('http://a.example') },
  },
  {
    name: 'a verb that is not on the list of CORS',
    send: { method: 'TRACE', path: METHOD, headers: [A] },
    expect: { status: 200, headers: NOT_GRANTED },
  },
  {
    name: 'a preflight ends here, and says what was asked for',
    send: {
      method: 'OPTIONS',
      path: `${METHOD}-preflight`,
      headers: [A, PREFLIGHT, 'Access-Control-Request-Headers: content-type,x--a, B_c x1-2y,d@e'],
    },
    expect: {
      status: 200,
      body: '',
      headers: {
        'access-control-allow-origin': 'http://a.example',
        'access-control-allow-methods': 'POST',
        'access-control-allow-headers': 'Content-Type, X--A, B_c, X1-2y, De',
        'access-control-allow-credentials': null,
        'access-control-max-age': null,
        'content-length': '0',
        'content-type': null,
        vary: VARY_PREFLIGHT,
      },
    },
    calls: { '/m-preflight': 0 },
  },
  {
    name: 'a preflight without headers, in small letters',
    send: { method: 'OPTIONS', path: METHOD, headers: [A, PREFLIGHT.replace('POST', 'patch')] },
    expect: {
      status: 200,
      headers: { 'access-control-allow-methods': 'PATCH', 'access-control-allow-headers': null },
    },
  },
  ...[
    { name: 'of an origin of nobody', headers: ['Origin: http://evil.example', PREFLIGHT] },
    { name: 'without an origin', headers: [PREFLIGHT] },
    { name: 'for an odd verb', headers: [A, PREFLIGHT.replace('POST', 'BREW')] },
  ].map(({ name, headers }) => ({
    name: `a preflight ${name}`,
    send: { method: 'OPTIONS', path: METHOD, headers },
    expect: {
      status: 200,
      body: '',
      headers: {
        'access-control-allow-origin': null,
        'access-control-allow-methods': null,
        vary: VARY_PREFLIGHT,
      },
    },
  })),
  {
    name: 'OPTIONS that is no preflight goes to the application',
    send: { method: 'OPTIONS', path: METHOD, headers: [A] },
    expect: { status: 200, headers: granted('http://a.example'), app: { method: 'OPTIONS' } },
  },
  {
    name: 'baggage that cannot be read comes first',
    send: { path: METHOD, headers: [A, 'baggage: ###'] },
    expect: { status: 400, headers: { 'access-control-allow-origin': null, vary: null } },
  },
  {
    name: 'an application that knows CORS itself',
    send: {
      path: `${METHOD}?h-access-control-allow-origin=http%3A%2F%2Fown&h-vary=Accept`,
      headers: [A],
    },
    expect: {
      status: 200,
      headers: {
        'access-control-allow-origin': 'http://a.example',
        vary: /^(Origin, Accept|Accept, Origin)$/,
      },
    },
    daprd: {
      why: 'it sends both origins, which browsers take for none',
      expect: { headers: { 'access-control-allow-origin': 'http://a.example, http://own' } },
    },
  },
];

/** Started with a token and `--allowed-origins http://b.example,*`. */
export const corsAll: readonly Case<never>[] = [
  {
    name: 'any origin is answered by a star, and one without a token is told so',
    send: { path: METHOD, headers: [A] },
    expect: { status: 401, headers: granted('*') },
  },
  {
    name: 'a preflight needs no token',
    send: { method: 'OPTIONS', path: METHOD, headers: [A, PREFLIGHT] },
    expect: { status: 200, headers: { 'access-control-allow-origin': '*' } },
  },
];

/** Started without the flag. */
export const corsNone: readonly Case<never>[] = [
  {
    name: 'browsers are told nothing',
    send: { path: METHOD, headers: [A] },
    expect: { status: 200, headers: { 'access-control-allow-origin': null, vary: null } },
  },
  {
    name: 'a preflight goes to the application',
    send: { method: 'OPTIONS', path: METHOD, headers: [A, PREFLIGHT] },
    expect: { status: 200, app: { method: 'OPTIONS' } },
  },
];
