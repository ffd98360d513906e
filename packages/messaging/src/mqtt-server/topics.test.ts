import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isFilter, matches, topicProblem } from './topics.ts';

test('filters match as MQTT 5, 4.7 says', () => {
  const cases: readonly (readonly [filter: string, topic: string, expected: boolean])[] = [
    ['a/b', 'a/b', true],
    ['a/b', 'a/b/c', false],
    ['a/+', 'a/b', true],
    ['a/+', 'a/b/c', false],
    ['a/+', 'a/', true],
    ['+/+', '/a', true],
    ['a/#', 'a', true],
    ['a/#', 'a/b/c', true],
    ['a/#', 'ab', false],
    ['#', 'a/b', true],
    ['#', '$SYS/x', false],
    ['+/x', '$SYS/x', false],
    ['$SYS/#', '$SYS/x', true],
  ];
  const answers = cases.map(([filter, topic]) => [filter, topic, matches(filter, topic)]);
  assert.deepEqual(answers, cases);
});

test('topics that cannot be published to, and filters that are none, are known', () => {
  assert.deepEqual(
    ['a/b', '', 'a/+', 'a/#', '$SYS/x', 'a\0b', 'x'.repeat(65_536)].map(
      (each) => topicProblem(each) === undefined,
    ),
    [true, false, false, false, false, false, false],
  );
  assert.deepEqual(
    ['a', '+', '#', 'a/+/b', 'a/#', 'a/#/b', 'a+', 'a#', '', '$share/g/a'].map(isFilter),
    [true, true, true, true, true, false, false, false, false, false],
  );
});
