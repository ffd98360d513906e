import assert from 'node:assert/strict';
import { test } from 'node:test';
import { writeJson } from '../go-json/write-json.ts';
import { goValue } from './go-values.ts';

const json = (type: number, text: string | null): string => writeJson(goValue(type, text));

test('numbers keep every digit, and what JSON has no word for is an error', () => {
  assert.deepEqual(
    [
      json(20, '9007199254740993'),
      json(1700, '1.10'),
      json(1700, '0.00'),
      json(701, '1e+21'),
      json(1700, 'NaN'),
    ],
    ['9007199254740993', '1.10', '0', '1e+21', '"NaN"'],
  );
  for (const [text, name] of [
    ['NaN', 'NaN'],
    ['Infinity', '+Inf'],
    ['-Infinity', '-Inf'],
  ] as const) {
    assert.throws(() => goValue(701, text), { message: `json: unsupported value: ${name}` });
  }
});

test('moments are RFC 3339, those that never end a number, those that JSON cannot hold their text', () => {
  assert.deepEqual(
    [
      json(1082, '2024-02-29'),
      json(1114, '2024-02-29 12:34:56.78'),
      json(1114, 'infinity'),
      json(1184, '-infinity'),
      json(1082, '0044-03-15 BC'),
      json(1082, '12024-01-01'),
    ],
    [
      '"2024-02-29T00:00:00Z"',
      '"2024-02-29T12:34:56.78Z"',
      '1',
      '-1',
      '"0044-03-15 BC"',
      '"12024-01-01"',
    ],
  );
});

test('a moment with a zone is told in the zone of this process', () => {
  for (const text of ['2024-07-01 12:00:00.5+02', '2024-01-01 00:00:00-03:30']) {
    const told = goValue(1184, text) as string;
    const same = Date.parse(text.replace(' ', 'T').replace(/\+02$/, '+02:00'));
    assert.equal(Date.parse(told), same, told);
    assert.match(told, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.5)?(?:Z|[+-]\d\d:\d\d)$/);
  }
});

test('what Go has a struct for is its fields, bytes are Base64, an address has its mask', () => {
  assert.deepEqual(
    [
      goValue(1083, '12:34:56.5'),
      goValue(1186, '1 year 2 mons -3 days +04:05:06'),
      goValue(1186, '-04:05:06.25'),
      goValue(1186, 'P1Y2D'),
      goValue(829, '08:00:2b:01:02:03'),
      goValue(17, '\\xdeadbeef'),
      goValue(869, '10.0.0.1'),
      goValue(869, '::1'),
      goValue(869, '10.0.0.0/8'),
      goValue(18, 'c'),
      goValue(2950, '00000000-0000-0000-0000-0000000000ff'),
    ],
    [
      { Microseconds: 45_296_500_000, Valid: true },
      { Microseconds: 14_706_000_000, Days: -3, Months: 14, Valid: true },
      { Microseconds: -14_706_250_000, Days: 0, Months: 0, Valid: true },
      'P1Y2D',
      'CAArAQID',
      '3q2+7w==',
      '10.0.0.1/32',
      '::1/128',
      '10.0.0.0/8',
      99,
      [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255],
    ],
  );
});

test('lists, with quotes, commas and what is not there', () => {
  assert.deepEqual(
    [
      json(1009, '{a,"b\\"c","d\\\\e",NULL,"NULL","x,y","","{}"}'),
      json(1007, '{{1,2},{3,NULL}}'),
      json(1007, '[0:1]={5,6}'),
      json(1009, '{}'),
      json(1000, '{t,f}'),
      json(1001, '{"\\\\xdead"}'),
    ],
    [
      '["a","b\\"c","d\\\\e",null,"NULL","x,y","","{}"]',
      '[1,2,3,null]',
      '[5,6]',
      '[]',
      '[true,false]',
      '["3q0="]',
    ],
  );
});

test('a type that is not known is its text', () => {
  assert.deepEqual(
    [json(603, '(1,1),(0,0)'), json(25, '<a>'), json(23, null)],
    ['"(1,1),(0,0)"', '"\\u003ca\\u003e"', 'null'],
  );
});
