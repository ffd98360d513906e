import { API_TOKEN } from '../makes/one-sidecar.ts';
import type { OddCase } from './odd-apps.ts';

const path = '/v1.0/invoke/callee/method/h';
const members = (count: number) => Array.from({ length: count }, (_, at) => `k${at}=v`).join();

const refused = (baggage: string, ...why: string[]): OddCase => ({
  name: `baggage: ${baggage.slice(0, 30)}, with what is wrong in it`,
  send: { path, headers: [`baggage: ${baggage}`] },
  expect: { status: 400, body: `invalid baggage header: ${why.join('\n')}` },
});

/** The grammar of `baggage`, as far as it goes wrong, and its limits. */
export const baggageCases: readonly OddCase[] = [
  ...['a=b;', 'a=b;;c', 'a==b', 'a=b; p', 'a=%C3%28', members(64)].map(
    (baggage): OddCase => ({
      name: `baggage: ${baggage.slice(0, 30)} passes`,
      send: { path, headers: [`baggage: ${baggage}`] },
      expect: { status: 200, headers: { baggage }, app: { headers: { baggage } } },
    }),
  ),
  {
    name: 'baggage: where there are no traces it is a header like any other',
    send: {
      to: 'secured',
      path: '/v1.0/invoke/secured/method/h',
      headers: [`dapr-api-token: ${API_TOKEN}`, 'baggage: a', 'tracestate: a=b'],
    },
    expect: {
      status: 200,
      headers: { baggage: null },
      // That of a trace which nobody has named is of none.
      app: { headers: { baggage: 'a', tracestate: null } },
    },
  },
  refused('=b', 'invalid key: ""'),
  refused('a b = c', 'invalid key: "a b"'),
  refused('a(=b', 'invalid key: "a("'),
  refused('a;b=c', 'invalid baggage list-member: "a;b=c"'),
  refused('a=b;p q', 'invalid baggage list-member property: "p q"'),
  refused('a=b;p=%zz', 'invalid baggage list-member property: "p=%zz"'),
  refused('a="b";p q;r s', 'invalid baggage list-member property: "p q"'),
  refused('a=b; ;c', 'invalid baggage list-member property: " "'),
  refused('zz,a=b,=c', 'invalid baggage list-member: "zz"', 'invalid key: ""'),
  refused(members(65), 'too many list-members in baggage-string'),
  refused(
    `zz,${members(65)}`,
    'invalid baggage list-member: "zz"',
    'too many list-members in baggage-string',
  ),
];
