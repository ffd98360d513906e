import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { cronSchedule } from './cron-schedule.ts';

/** The next moments of a schedule, in UTC to the second. */
function moments(text: string, from: string, count: number): string[] {
  const schedule = cronSchedule(text);
  const found: string[] = [];
  let atMs: number | undefined = Date.parse(from);
  for (let n = 0; n < count; n += 1) {
    atMs = schedule.next(atMs);
    if (atMs === undefined) return [...found, 'never'];
    found.push(new Date(atMs).toISOString().replace('.000Z', 'Z'));
  }
  return found;
}

const refusal = (text: string): string => {
  try {
    cronSchedule(text);
    return 'accepted';
  } catch (error) {
    return (error as Error).message;
  }
};

describe('a cron schedule', () => {
  test('has five fields, or six with seconds first; ranges, lists and steps', () => {
    const from = '2026-11-27T14:00:30Z';
    assert.deepEqual(
      [
        moments('TZ=UTC * * * * *', from, 2),
        moments('TZ=UTC */15 * * * * *', from, 3),
        moments('TZ=UTC 0 30 * * * *', from, 2),
        moments('TZ=UTC 5/20 * * * *', from, 4),
        moments('TZ=UTC 10-20/5,40 3 * * *', from, 4),
      ],
      [
        ['2026-11-27T14:01:00Z', '2026-11-27T14:02:00Z'],
        ['2026-11-27T14:00:45Z', '2026-11-27T14:01:00Z', '2026-11-27T14:01:15Z'],
        ['2026-11-27T14:30:00Z', '2026-11-27T15:30:00Z'],
        [
          '2026-11-27T14:05:00Z',
          '2026-11-27T14:25:00Z',
          '2026-11-27T14:45:00Z',
          '2026-11-27T15:05:00Z',
        ],
        [
          '2026-11-28T03:10:00Z',
          '2026-11-28T03:15:00Z',
          '2026-11-28T03:20:00Z',
          '2026-11-28T03:40:00Z',
        ],
      ],
    );
  });

  test('knows months and days by name, in any letter case', () => {
    assert.deepEqual(
      [
        moments('TZ=UTC 0 0 * JAN-feb Mon', '2026-12-20T00:00:00Z', 2),
        moments('TZ=UTC 0 9 ? * mon,FRI', '2026-11-27T14:00:00Z', 2),
      ],
      [
        ['2027-01-04T00:00:00Z', '2027-01-11T00:00:00Z'],
        ['2026-11-30T09:00:00Z', '2026-12-04T09:00:00Z'],
      ],
    );
  });

  test('takes either day where it names one of the month and one of the week', () => {
    assert.deepEqual(moments('TZ=UTC 0 0 13 * 5', '2026-11-04T00:00:00Z', 4), [
      '2026-11-06T00:00:00Z',
      '2026-11-13T00:00:00Z',
      '2026-11-20T00:00:00Z',
      '2026-11-27T00:00:00Z',
    ]);
  });

  test('waits for leap years, and may never come', () => {
    assert.deepEqual(
      [
        moments('TZ=UTC 0 0 29 2 *', '2026-01-01T00:00:00Z', 2),
        moments('TZ=UTC 0 0 30 2 *', '2026-01-01T00:00:00Z', 1),
      ],
      [['2028-02-29T00:00:00Z', '2032-02-29T00:00:00Z'], ['never']],
    );
  });

  test('runs right after the leap of a clock that is put forward, and once where it is put back', () => {
    assert.deepEqual(
      [
        // 02:30 is not there on 29 March 2026, and twice on 25 October.
        moments('TZ=Europe/Berlin 30 2 * * *', '2026-03-28T00:00:00Z', 3),
        moments('CRON_TZ=Europe/Berlin 30 2 * * *', '2026-10-24T00:00:00Z', 3),
        moments('TZ=Europe/Berlin 0 * * * *', '2026-03-28T23:30:00Z', 3),
        moments('TZ=Europe/Berlin 0 * * * *', '2026-10-24T23:30:00Z', 3),
      ],
      [
        ['2026-03-28T01:30:00Z', '2026-03-29T01:00:00Z', '2026-03-30T00:30:00Z'],
        ['2026-10-24T00:30:00Z', '2026-10-25T00:30:00Z', '2026-10-26T01:30:00Z'],
        ['2026-03-29T00:00:00Z', '2026-03-29T01:00:00Z', '2026-03-29T02:00:00Z'],
        ['2026-10-25T00:00:00Z', '2026-10-25T01:00:00Z', '2026-10-25T02:00:00Z'],
      ],
    );
  });

  test('has names for what is usual, and intervals of any length', () => {
    const from = '2026-11-27T14:00:30Z';
    assert.deepEqual(
      ['@hourly', '@daily', '@midnight', '@weekly', '@monthly', '@yearly', '@annually'].map(
        (name) => moments(`TZ=UTC ${name}`, from, 1)[0],
      ),
      [
        '2026-11-27T15:00:00Z',
        '2026-11-28T00:00:00Z',
        '2026-11-28T00:00:00Z',
        '2026-11-29T00:00:00Z',
        '2026-12-01T00:00:00Z',
        '2027-01-01T00:00:00Z',
        '2027-01-01T00:00:00Z',
      ],
    );
    assert.deepEqual(
      ['@every 1m30s', '@every 2500ms', '@every 5ms'].map((text) => cronSchedule(text).next(0)),
      [90_000, 2_500, 5],
    );
  });

  test('may have steps that are longer than its field, and parts without anything', () => {
    const from = '2026-11-27T14:00:30Z';
    assert.deepEqual(
      [
        moments('TZ=UTC 0 */90 * * * *', from, 1),
        moments('TZ=UTC 1,,3 * * * *', from, 2),
        moments('TZ=UTC , * * * *', from, 1),
        moments('TZ=UTC 0 0 */2 * 1', '2026-11-27T14:00:30Z', 3),
        moments('TZ=UTC 0 0 1-31 * 1', '2026-11-27T14:00:30Z', 1),
      ],
      [
        ['2026-11-27T15:00:00Z'],
        ['2026-11-27T14:01:00Z', '2026-11-27T14:03:00Z'],
        ['never'],
        ['2026-11-29T00:00:00Z', '2026-11-30T00:00:00Z', '2026-12-01T00:00:00Z'],
        ['2026-11-28T00:00:00Z'],
      ],
    );
  });

  for (const [field, why] of [
    ['* * *', 'expected 5 to 6 fields, found 3: [* * *]'],
    ['60 * * * *', 'end of range (60) above maximum (59): 60'],
    ['0 0 0 * *', 'beginning of range (0) below minimum (1): 0'],
    ['0 0 * * 7', 'end of range (7) above maximum (6): 7'],
    ['0 0 * 0-3 *', 'beginning of range (0) below minimum (1): 0-3'],
    ['5-1 * * * *', 'beginning of range (5) beyond end of range (1): 5-1'],
    ['1-2-3 * * * *', 'too many hyphens: 1-2-3'],
    ['1/2/3 * * * *', 'too many slashes: 1/2/3'],
    ['*/0 * * * *', 'step of range should be a positive number: */0'],
    ['L * * * *', 'failed to parse int from L: strconv.Atoi: parsing "L": invalid syntax'],
  ] as const) {
    test(`${field} is refused in daprd's words`, () => {
      assert.equal(refusal(field), `invalid schedule format '${field}': ${why}`);
    });
  }

  test('that is none is refused with the reason', () => {
    const invalid = (text: string) => `invalid schedule format '${text}': `;
    assert.deepEqual(
      [
        '',
        '* * *',
        '* * * * * * *',
        '61 * * * *',
        '5-1 * * * *',
        'L * * * *',
        '0 0 1W * *',
        '0 0 * * 1#2',
        '@often',
        '@every soon',
        '@every 5',
        '@every 0s',
        '@every -1s',
      ].map((text) => refusal(text).startsWith(invalid(text))),
      Array(13).fill(true),
    );
    assert.match(refusal('TZ=Nowhere/City * * * * *'), /^invalid schedule format/);
  });
});
