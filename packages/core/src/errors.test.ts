import assert from 'node:assert/strict';
import { test } from 'node:test';
import { circuitBreaker } from './breaker/breaker.ts';
import * as errors from './errors.ts';
import { CircuitOpenError, isPolicyError, TimedOutError } from './errors.ts';
import { pipeline } from './pipeline.ts';
import { createRegistry } from './registry.ts';
import { timeout } from './timeout/timeout.ts';

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

test('a policy error says whose call it ended: of pipelines within each other, the innermost', async () => {
  const options = { registry: undefined };
  const slow = pipeline('prices', [timeout({ limitMs: 1 })], options);
  const outer = pipeline('page', [timeout({ limitMs: 60_000 })], options);
  const registry = createRegistry();
  const refusing = pipeline('stock', [circuitBreaker()], { registry });
  registry.force('stock', 'forced-open', { forMs: 60_000 });
  const thrown = (call: Promise<unknown>) =>
    call.then(
      () => assert.fail('it ended well'),
      ({ code, pipeline: of }: errors.PolicyError) => [code, of],
    );
  const hang = () => new Promise(() => {});

  assert.deepEqual(await thrown(outer.execute(() => slow.execute(hang))), ['TIMED_OUT', 'prices']);
  assert.deepEqual(await thrown(refusing.execute(hang)), ['CIRCUIT_OPEN', 'stock']);
  assert.equal(new TimedOutError('t', 'over').pipeline, undefined);
});
