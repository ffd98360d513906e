import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as errors from './errors.ts';
import { CircuitOpenError, isPolicyError, TimedOutError } from './errors.ts';

test('a policy error says who refused, with which code, and when to come back', () => {
  const cause = new Error('down');
  const error = new CircuitOpenError('stock', 'Circuit "stock" is open.', 250, cause);
  const { name, code, policy, retryAfterMs, message } = error;
  assert.deepEqual(
    { name, code, policy, retryAfterMs, message, cause: error.cause },
    {
      name: 'CircuitOpenError',
      code: 'CIRCUIT_OPEN',
      policy: 'stock',
      retryAfterMs: 250,
      message: 'Circuit "stock" is open.',
      cause,
    },
  );
  assert.ok(error instanceof Error);
  assert.equal('cause' in new TimedOutError('t', 'over'), false);
});

test('a policy error is made where nobody may change how long stacks are', (t) => {
  const own = Object.getOwnPropertyDescriptor(Error, 'stackTraceLimit')!;
  t.after(() => Object.defineProperty(Error, 'stackTraceLimit', own));
  Object.defineProperty(Error, 'stackTraceLimit', { ...own, writable: false });
  assert.equal(new TimedOutError('t', 'over').message, 'over');
});

test('each refusal has a name and a code of its own', () => {
  const { isPolicyError: _, PolicyError: __, ...refusals } = errors;
  const made = Object.values(refusals).map((One) => {
    const { code, name } = new One('p', 'no');
    return [name, code];
  });
  assert.deepEqual(Object.fromEntries(made), {
    BulkheadFullError: 'BULKHEAD_FULL',
    CircuitBusyError: 'CIRCUIT_BUSY',
    CircuitOpenError: 'CIRCUIT_OPEN',
    DeadlineExceededError: 'DEADLINE_EXCEEDED',
    LimitExceededError: 'LIMIT_EXCEEDED',
    QueueTimedOutError: 'QUEUE_TIMED_OUT',
    RateLimitedError: 'RATE_LIMITED',
    ShedError: 'SHED',
    ThrottledError: 'THROTTLED',
    TimedOutError: 'TIMED_OUT',
  });
});

test('a policy error captures no stack, and leaves the limit for others as it was', () => {
  const limit = Error.stackTraceLimit;
  assert.equal(new TimedOutError('t', 'over').stack?.includes('\n'), false);
  assert.equal(Error.stackTraceLimit, limit);
});

test('a policy error of another copy of this package is one', () => {
  const foreign = Object.assign(new Error('over'), {
    policy: 't',
    code: 'TIMED_OUT',
    retryAfterMs: undefined,
  });
  assert.deepEqual([foreign, new Error('x'), undefined, 'TIMED_OUT'].map(isPolicyError), [
    true,
    false,
    false,
    false,
  ]);
});
