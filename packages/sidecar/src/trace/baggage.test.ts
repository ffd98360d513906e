import assert from 'node:assert/strict';
import { test } from 'node:test';
import { badBaggage } from './baggage.ts';

const PREFIX = 'invalid baggage header: ';
const members = (count: number) => Array.from({ length: count }, (_, at) => `k${at}=v`).join();

test('tells members that can be read from those that cannot', () => {
  const good = ['a=b', 'a=b,c=d', 'a=b;p;q=r , c = d', 'a=', 'user%20id=x', 'a=b;', 'a=b;;c'];
  const bad = {
    ';;=': 'baggage list-member property: "="',
    'a;%zz': 'baggage list-member: "a;%zz"',
    a: 'baggage list-member: "a"',
    '=b': 'key: ""',
    ' a b = c': 'key: "a b"',
    'a=b c': 'value: "b c"',
    'a="b"': 'value: "\\"b\\""',
    'a=b,;': 'baggage list-member: ";"',
    'a=b,': 'baggage list-member: ""',
    'a=%zz': 'value: invalid URL escape "%zz"',
    'a=b; ;c': 'baggage list-member property: " "',
    'a=b;p=%zz': 'baggage list-member property: "p=%zz"',
    'a="b";p q;r s': 'baggage list-member property: "p q"',
  };

  assert.deepEqual(good.map(badBaggage), Array(good.length).fill(undefined));
  assert.deepEqual(
    Object.keys(bad).map(badBaggage),
    Object.values(bad).map((why) => `${PREFIX}invalid ${why}`),
  );
});

test('all that is wrong is told, a line each', () => {
  assert.equal(
    badBaggage('zz,a=b,=c'),
    `${PREFIX}invalid baggage list-member: "zz"\ninvalid key: ""`,
  );
});

test('64 members and 8,192 bytes are taken, and no more', () => {
  const long = (bytes: number) => `a=${'x'.repeat(bytes - 2)}`;

  assert.deepEqual(
    [members(64), members(65), 'a=b,'.repeat(70).slice(0, -1), long(8_192), long(8_193)].map(
      badBaggage,
    ),
    [
      undefined,
      `${PREFIX}too many list-members in baggage-string`,
      undefined,
      undefined,
      `${PREFIX}baggage-string too large`,
    ],
  );
});

test('what is long and odd is read in time', () => {
  assert.equal(badBaggage(`a=${'b;c=d'.repeat(1_600)}`), undefined);
});
