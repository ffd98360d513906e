import assert from 'node:assert/strict';
import { test } from 'node:test';
import { badBaggage } from './baggage.ts';

test('tells members that can be read from those that cannot', () => {
  const good = ['a=b', 'a=b,c=d', 'a=b;p;q=r , c = d', 'a=', 'user%20id=x'].map(badBaggage);
  const bad = [';;=', 'a', '=b', 'a=b c', 'a="b"', 'a=b,;', 'a=b,', 'a=%zz'].map(badBaggage);

  assert.deepEqual(good, Array(5).fill(undefined));
  assert.deepEqual(
    bad,
    [
      'list-member: ";;="',
      'list-member: "a"',
      'list-member: "=b"',
      'value: "b c"',
      'value: "\\"b\\""',
      'list-member: ";"',
      'list-member: ""',
      'value: invalid URL escape "%zz"',
    ].map((why) =>
      `invalid baggage header: invalid baggage ${why}`.replace('baggage value', 'value'),
    ),
  );
});

test('an endless value is read in time', () => {
  assert.equal(badBaggage(`a=${'b;c=d'.repeat(20_000)}`), undefined);
});
