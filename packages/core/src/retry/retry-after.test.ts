import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CircuitOpenError } from '../errors.ts';
import { pipeline } from '../pipeline.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { retry } from './retry.ts';
import { parseRetryAfter, retryAfterHint } from './retry-after.ts';

const NOW = Date.UTC(1994, 10, 6, 8, 49, 30);

test('seconds and all three forms of a date are understood, whatever the machine’s zone', () => {
  const dates = [
    'Sun, 06 Nov 1994 08:49:37 GMT',
    'Sunday, 06-Nov-94 08:49:37 GMT',
    'Sun Nov  6 08:49:37 1994',
  ];

  assert.deepEqual(
    [' 120 ', '0', ...dates].map((value) => parseRetryAfter(value, NOW)),
    [120_000, 0, 7_000, 7_000, 7_000],
  );
});

test('the past is now, the far future an hour, and nonsense nothing', () => {
  const given = ['Sat, 05 Nov 1994 08:49:37 GMT', 'Mon, 07 Nov 1994 08:49:37 GMT', '9'.repeat(30)];
  const nonsense = [
    undefined,
    '',
    '-5',
    '1.5',
    '1e3',
    'soon',
    '1994-11-06',
    'Sun, 99 Foo 1994 08:49:37 GMT',
  ];

  assert.deepEqual(
    given.map((value) => parseRetryAfter(value, NOW)),
    [0, 3_600_000, 3_600_000],
  );
  assert.deepEqual(
    nonsense.map((value) => parseRetryAfter(value, NOW)),
    nonsense.map(() => undefined),
  );
});

test('the hint reads answers, refusals and errors, and knows nothing of anything else', () => {
  const hint = retryAfterHint({ wallMs: () => NOW });
  const headers = new Headers({ 'retry-after': '2' });
  const told = [
    { value: new Response(null, { headers }) },
    { value: { headers: { 'retry-after': '3' } } },
    { value: { headers: { 'Retry-After': ['4', '9'] } } },
    { value: { headers: { 'retry-after': 5 } } },
    { value: { headers: { 'retry-after-ms': '62.5', 'retry-after': '1' } } },
    { value: { headers: { 'retry-after-ms': ' 1500 ' } } },
    { value: { headers: { 'retry-after-ms': '12.25' } } },
    { error: new CircuitOpenError('c', 'open', 400) },
    { error: Object.assign(new Error('busy'), { retryAfterMs: 0 }) },
    { error: Object.assign(new Error('busy'), { retryAfterMs: 1e12 }) },
    { error: Object.assign(new Error('busy'), { headers }) },
    { error: Object.assign(new Error('busy'), { response: { headers } }) },
  ];
  const silent = [
    { error: new Error('reset') },
    { error: Object.assign(new Error('busy'), { retryAfterMs: -1 }) },
    { error: Object.assign(new Error('busy'), { retryAfterMs: '50', headers: null }) },
    { error: new CircuitOpenError('c', 'open') },
    { error: 'thrown text' },
    { value: { headers: { 'retry-after-ms': 'soon' } } },
    ...['5 s', 'in 5', '5.', '.5', '1.2.3', '-5', ''].map((text) => ({
      value: { headers: { 'retry-after-ms': text } },
    })),
    { value: { headers: { 'retry-after': {} } } },
    { value: { headers: { 'retry-after': [] } } },
    // What a policy of ours says is all there is to say.
    {
      error: Object.assign(new CircuitOpenError('c', 'open'), { headers: { 'retry-after': '5' } }),
    },
    { value: null },
    { value: new Response() },
    {},
  ];

  assert.deepEqual(
    told.map(hint),
    [2_000, 3_000, 4_000, 5_000, 62.5, 1_500, 12.25, 400, 0, 3_600_000, 2_000, 2_000],
  );
  assert.deepEqual(
    silent.map(hint),
    silent.map(() => undefined),
  );
});

test('a retry waits as it is told: at once for 0, until a date, and never beyond its longest delay', async () => {
  const clock = new VirtualClock();
  clock.jumpWall(NOW);
  const headers = ['0', 'Sun, 06 Nov 1994 08:49:33 GMT', '86400', 'soon'];
  const startedAt: number[] = [];
  const busy = pipeline(
    'busy',
    [
      retry({
        maxRetries: 4,
        jitter: 'none',
        delayMs: 70,
        backoff: 'constant',
        maxDelayMs: 5_000,
        retryIfResult: (response) => (response as Response).status === 503,
        delayHint: retryAfterHint(clock),
      }),
    ],
    { clock },
  );

  await clock.run(() =>
    busy.execute(async () => {
      startedAt.push(clock.now());
      const after = headers[startedAt.length - 1];
      if (after === undefined) return new Response();
      return new Response(null, { status: 503, headers: { 'retry-after': after } });
    }),
  );

  assert.deepEqual(startedAt, [0, 0, 3_000, 8_000, 8_070]);
});
