import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readCases } from './read-cases.ts';

test('the cases are the innermost ones, by their names within the component', () => {
  const output = `
=== RUN   TestState
=== RUN   TestState/redis.v7-listed
=== RUN   TestState/redis.v7-listed/init
=== RUN   TestState/redis.v7-listed/bulkget
=== RUN   TestState/redis.v7-listed/bulkget/scenario
    state.go:600: Checking
=== RUN   TestState/redis.v7-listed/proto
--- FAIL: TestState (1.02s)
    --- FAIL: TestState/redis.v7-listed (1.02s)
        --- PASS: TestState/redis.v7-listed/init (0.31s)
        --- FAIL: TestState/redis.v7-listed/bulkget (0.01s)
            --- FAIL: TestState/redis.v7-listed/bulkget/scenario (0.00s)
        --- SKIP: TestState/redis.v7-listed/proto (0.00s)
FAIL
`;
  assert.deepEqual(Object.fromEntries(readCases(output)), {
    init: 'passed',
    'bulkget/scenario': 'failed',
    proto: 'skipped',
  });
});

test('a case that fails beside those within it is one, and one that does not end is broken', () => {
  const output = `
=== RUN   TestPubsub/kafka-retry/multiple_handlers
=== RUN   TestPubsub/kafka-retry/multiple_handlers/stop
--- FAIL: TestPubsub/kafka-retry/multiple_handlers (1.02s)
    --- PASS: TestPubsub/kafka-retry/multiple_handlers/stop (0.31s)
=== RUN   TestPubsub/kafka-retry/last
panic: test timed out after 10m0s
`;
  assert.deepEqual(Object.fromEntries(readCases(output)), {
    multiple_handlers: 'failed',
    'multiple_handlers/stop': 'passed',
    last: 'broken',
  });
});

test('what the suite does not come to is no case', () => {
  assert.equal(readCases('panic: no such file\n').size, 0);
});
