import { type Case, directInvoke, type Expected, type Request } from '../makes/case.ts';

const to = (id: string, method: string, query = ''): Request => ({
  path: `/v1.0/invoke/callee.${id}/method/${method}${query}`,
});
const ok: Expected = { status: 200 };
const open = (id: string): Expected => ({
  status: 500,
  headers: { 'content-type': 'application/json' },
  body: directInvoke(`callee.${id}`, 'circuit breaker is open'),
});
const late = (id: string): Expected => ({
  status: 500,
  body: directInvoke(`callee.${id}`, 'context deadline exceeded'),
});
/** Of daprd either side of the call may notice first, the busier the machine the oftener the callee. */
const lateInDaprd = {
  why: 'whoever is late, our callers read the same words',
  expect: { status: 500, body: /context deadline exceeded|code = DeadlineExceeded/ },
} as const;
const failed = (status: number): Expected => ({ status, headers: { 'x-app': 'echo' } });
const times = <T>(count: number, value: T): readonly T[] =>
  Array.from({ length: count }, () => value);

export const policies: readonly Case[] = [
  {
    name: 'timeout: fires',
    send: to('timed', 'p1', '?delay=9000'),
    expect: late('timed'),
    daprd: lateInDaprd,
    notBeforeMs: 950,
    withinMs: 2_000,
  },
  { name: 'timeout: in time passes', send: to('timed', 'p2', '?delay=20'), expect: ok },
  {
    name: 'retry: until it succeeds',
    send: to('retried', 'p3', '?fail=2'),
    expect: ok,
    calls: { '/p3': 3 },
  },
  {
    name: 'retry: the last answer passes when they are used up',
    send: to('retried', 'p4', '?status=503'),
    expect: failed(503),
    calls: { '/p4': 3 },
  },
  {
    name: 'retry: without matching every status, 404 too',
    send: to('retried', 'p5', '?status=404'),
    expect: failed(404),
    calls: { '/p5': 3 },
  },
  {
    name: 'retry: 3xx is no failure',
    send: to('retried', 'p6', '?status=302'),
    expect: failed(302),
    calls: { '/p6': 1 },
  },
  {
    name: 'retry: a body is sent again',
    send: { ...to('retried', 'p7', '?fail=1'), method: 'POST', body: 'abc' },
    expect: { status: 200, app: { body: 'abc' } },
    calls: { '/p7': 2 },
  },
  {
    name: 'retry: not for a body without length',
    send: {
      raw: 'POST /v1.0/invoke/callee.retried/method/p8?status=503 HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n',
    },
    expect: failed(503),
    calls: { '/p8': 1 },
  },
  {
    name: 'retry: matching, a code in it',
    send: to('matched', 'p9', '?status=500'),
    expect: failed(500),
    calls: { '/p9': 3 },
  },
  {
    name: 'retry: matching, a code not in it',
    send: to('matched', 'p10', '?status=404'),
    expect: failed(404),
    calls: { '/p10': 1 },
  },
  {
    name: 'retry: named, application of the callee down',
    send: { path: '/v1.0/invoke/down.retried/method/x' },
    expect: { status: 500, body: /error invoking app channel/ },
  },
  {
    name: 'no retry for an app that is not listed',
    send: { path: '/v1.0/invoke/callee/method/p11?status=503' },
    expect: failed(503),
    calls: { '/p11': 1 },
  },
  {
    name: 'no retry for an app that is listed with nothing',
    send: to('empty', 'p12', '?status=503'),
    expect: failed(503),
    calls: { '/p12': 1 },
  },
  {
    name: 'breaker: opens after three failures and refuses',
    send: times(5, to('broken', 'p13', '?status=500')),
    expect: [...times(3, failed(500)), open('broken'), open('broken')],
    calls: { '/p13': 3 },
  },
  {
    name: 'breaker: one for each method',
    send: [...times(4, to('broken', 'p14', '?status=500')), to('broken', 'p15')],
    expect: [...times(3, failed(500)), open('broken'), ok],
  },
  {
    name: 'breaker: the verb and the query make no difference',
    send: [
      ...times(3, to('broken', 'p16', '?status=500')),
      { ...to('broken', 'p16', '?x=1'), method: 'DELETE' },
    ],
    expect: [...times(3, failed(500)), open('broken')],
  },
  {
    name: 'breaker: 4xx counts as failure',
    send: times(4, to('broken', 'p17', '?status=404')),
    expect: [...times(3, failed(404)), open('broken')],
  },
  {
    name: 'breaker: a success between starts the count again',
    send: [
      ...times(2, to('broken', 'p18', '?status=500')),
      to('broken', 'p18'),
      ...times(2, to('broken', 'p18', '?status=500')),
      to('broken', 'p18'),
    ],
    expect: [...times(2, failed(500)), ok, ...times(2, failed(500)), ok],
  },
  {
    name: 'breaker: a probe that succeeds closes it',
    send: [
      ...times(4, to('broken', 'p19', '?status=500')),
      { ...to('broken', 'p19'), afterMs: 4_200 },
      to('broken', 'p19'),
    ],
    expect: [...times(3, failed(500)), open('broken'), ok, ok],
  },
  {
    name: 'breaker: a probe that fails opens it again',
    send: [
      ...times(3, to('broken', 'p20', '?status=500')),
      { ...to('broken', 'p20', '?status=500'), afterMs: 4_200 },
      to('broken', 'p20'),
    ],
    expect: [...times(4, failed(500)), open('broken')],
  },
  {
    name: 'breaker: CEL ratio',
    send: [
      to('ratio', 'p21'),
      to('ratio', 'p21'),
      ...times(2, to('ratio', 'p21', '?status=500')),
      to('ratio', 'p21'),
    ],
    expect: [ok, ok, ...times(2, failed(500)), open('ratio')],
  },
  {
    name: 'breaker: counts requests without length',
    send: [
      ...times(3, {
        raw: 'POST /v1.0/invoke/callee.broken/method/p22?status=500 HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n',
      }),
      to('broken', 'p22'),
    ],
    expect: [...times(3, failed(500)), open('broken')],
  },
  {
    name: 'both: every attempt counts, an open circuit ends the retrying',
    send: [to('both', 'p23', '?status=500'), to('both', 'p23', '?status=500')],
    expect: [failed(500), open('both')],
    calls: { '/p23': 3 },
  },
  {
    name: 'all: timeouts are retried and counted',
    send: [to('all', 'p24', '?delay=4000'), to('all', 'p24')],
    expect: [late('all'), open('all')],
    daprd: { ...lateInDaprd, expect: [lateInDaprd.expect, open('all')] },
    calls: { '/p24': 3 },
    withinMs: 8_000,
  },
  {
    name: 'retry: an application that hangs up is called as often as the policy says',
    send: [
      to('retried', 'p26', '?die=now'),
      { ...to('retried', 'p27', '?die=now'), method: 'POST', body: 'a' },
    ],
    expect: [{ status: 500, body: /error invoking app channel/ }, { status: 500 }],
    calls: { '/p26': 3, '/p27': 3 },
  },
  {
    name: 'no retry: an application that hangs up is called once',
    send: { path: '/v1.0/invoke/callee/method/p28?die=now' },
    expect: { status: 500, body: /error invoking app channel: Get .*EOF/ },
    calls: { '/p28': 1 },
  },
  {
    name: 'outside: an HTTPEndpoint has one circuit, whatever is called there',
    send: [
      ...times(4, { path: '/v1.0/invoke/fragile/method/a?status=500' }),
      { path: '/v1.0/invoke/fragile/method/b' },
    ],
    expect: [
      ...times(3, failed(500)),
      ...times(2, { status: 500, body: directInvoke('fragile', 'circuit breaker is open') }),
    ],
    calls: { '/fragile/a': 3, '/fragile/b': 0 },
  },
  {
    name: 'self: policies of one’s own app apply',
    send: times(4, { path: '/v1.0/invoke/caller/method/p25?status=500' }),
    expect: [
      ...times(3, failed(500)),
      { status: 500, body: directInvoke('caller', 'circuit breaker is open') },
    ],
  },
];
