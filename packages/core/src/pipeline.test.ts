import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { circuitBreaker } from './breaker/breaker.ts';
import { bulkhead } from './bulkhead/bulkhead.ts';
import { pipeline } from './pipeline.ts';
import { retry } from './retry/retry.ts';
import { record } from './testing/record.ts';
import { VirtualClock } from './testing/virtual-clock.ts';
import { timeout } from './timeout/timeout.ts';

const fail = () => Promise.reject(new Error('down'));

describe('a pipeline', () => {
  test('without policies just calls', async () => {
    const p = pipeline('bare', []);
    assert.equal(await p.execute(({ attempt }) => attempt), 1);
  });

  test('wraps a function and keeps its name, its length, its `this` and its arguments', async () => {
    const p = pipeline('wrapped', [retry()]);
    const account = {
      balance: 40,
      async deposit(amount: number, times: number) {
        return this.balance + amount * times;
      },
    };
    const deposit = p.wrap(account.deposit);
    assert.deepEqual([deposit.name, deposit.length], ['deposit', 2]);
    assert.equal(await deposit.call(account, 1, 2), 42);
  });

  test('has a name, and policies whose names differ', () => {
    assert.throws(() => pipeline('', []), /pipeline\.name must be a string that is not empty/);
    assert.throws(() => pipeline('p', [retry(), retry()]), {
      name: 'RangeError',
      message:
        'pipeline.policies must have names that differ within a kind, not retry "retry" twice. Give one a name of its own.',
    });
  });

  test('shows its live state', async () => {
    const clock = new VirtualClock();
    const p = pipeline('live', [bulkhead({ limit: 1, queueLimit: 3 })], { clock });
    const running = [p.execute(() => clock.sleep(10)), p.execute(() => clock.sleep(10))];
    assert.deepEqual(p.inspect(), {
      name: 'live',
      inFlight: 2,
      policies: [
        {
          kind: 'bulkhead',
          name: 'bulkhead',
          options: {
            name: 'bulkhead',
            limit: 1,
            queueLimit: 3,
            order: 'fifo',
            queueTimeoutMs: 5_000,
          },
          bulkhead: { active: 1, queued: 1 },
        },
      ],
    });
    await clock.run(() => Promise.all(running));
    assert.equal(p.inspect().inFlight, 0);
  });

  test('reports to a listener, whose errors harm no call', async () => {
    const { events, listener } = record();
    const p = pipeline('p', [], {
      report: (event) => {
        listener(event);
        throw new Error('broken listener');
      },
    });
    assert.equal(await p.execute(async () => 'ok'), 'ok');
    assert.deepEqual(
      events.map(({ type, pipeline, policy }) => [type, pipeline, policy]),
      [
        ['attempt', 'p', 'p'],
        ['call', 'p', 'p'],
      ],
    );
    assert.ok(events[0]!.call > 0 && events[0]?.call === events[1]?.call);
  });
});

describe('a swap', () => {
  test('keeps the circuit under its new options', async () => {
    const clock = new VirtualClock();
    const p = pipeline('p', [circuitBreaker({ consecutiveFailures: 1, openMs: 1_000 })], { clock });
    await p.execute(fail).catch(() => {});
    await clock.advance(400);
    p.swap([retry(), circuitBreaker({ consecutiveFailures: 3, openMs: 2_000 })]);
    const circuit = p.inspect().policies[1]?.circuit;
    assert.deepEqual([circuit?.state, circuit?.retryAfterMs], ['open', 1_600]);
    assert.deepEqual(
      p.policies.map(({ name }) => name),
      ['retry', 'circuit'],
    );
  });

  test('begins a circuit of another name anew', async () => {
    const clock = new VirtualClock();
    const p = pipeline('p', [circuitBreaker({ consecutiveFailures: 1 })], { clock });
    await p.execute(fail).catch(() => {});
    p.swap([circuitBreaker({ name: 'other' })]);
    assert.equal(p.inspect().policies[0]?.circuit?.state, 'closed');
  });

  test('tells policies of one name apart by their kind', async () => {
    const clock = new VirtualClock();
    const policies = () => [
      retry({ name: 'stock', maxRetries: 0 }),
      circuitBreaker({ name: 'stock', consecutiveFailures: 1 }),
    ];
    const p = pipeline('p', policies(), { clock });
    await p.execute(fail).catch(() => {});
    p.swap(policies());
    assert.equal(p.inspect().policies[1]?.circuit?.state, 'open');
  });

  test('keeps a bulkhead’s places and queue, and lets in those for whom there is room now', async () => {
    const clock = new VirtualClock();
    const p = pipeline('p', [bulkhead({ limit: 1, queueLimit: 5 })], { clock });
    const run = () => p.execute(() => clock.sleep(10));
    const running = [run(), run(), run()];
    p.swap([bulkhead({ limit: 2, queueLimit: 5 }), timeout({ limitMs: 500 })]);
    assert.deepEqual(p.inspect().policies[0]?.bulkhead, { active: 2, queued: 1 });
    running.push(run());
    await clock.run(() => Promise.all(running));
    assert.deepEqual(p.inspect().policies[0]?.bulkhead, { active: 0, queued: 0 });
    assert.deepEqual([clock.now(), p.inspect().inFlight, clock.pendingTimers], [20, 0, 0]);
  });

  test('lets calls in flight end under the policies they began with', async () => {
    const clock = new VirtualClock();
    const p = pipeline('p', [retry({ maxRetries: 2, jitter: 'none' })], { clock });
    let calls = 0;
    const before = p.execute(() => {
      calls += 1;
      return fail();
    });
    p.swap([]);
    await clock.run(() => before.catch(() => {}));
    assert.equal(calls, 3);
  });

  test('with policies that cannot stand together changes nothing', async () => {
    const p = pipeline('p', [retry()]);
    assert.throws(() => p.swap([timeout({ limitMs: 5 }), timeout({ limitMs: 6 })]), RangeError);
    assert.deepEqual(
      p.policies.map(({ kind }) => kind),
      ['retry'],
    );
  });
});

describe('a wrapped function', () => {
  test('keeps its name, its arguments and its `this`, and is told about its call where it asks', async () => {
    const p = pipeline('p', [retry({ maxRetries: 1, delayMs: 0 })], { registry: undefined });
    const shop = {
      currency: 'EUR',
      price: p.wrap(function price(this: { currency: string }, item: string, count: number) {
        return `${count} ${item}: ${this.currency}`;
      }),
      order: p.wrapCall(function order(this: { currency: string }, call, item: string) {
        if (call.attempt === 1) throw new Error('again');
        return `${call.attempt} ${item}: ${this.currency}`;
      }),
      none: p.wrapCall(function none() {
        return 'none';
      }),
    };
    assert.deepEqual(
      [await shop.price('apple', 2), await shop.order('pear'), await shop.none()],
      ['2 apple: EUR', '2 pear: EUR', 'none'],
    );
    assert.deepEqual(
      [shop.price, shop.order, shop.none].map(({ name, length }) => [name, length]),
      [
        ['price', 2],
        ['order', 1],
        ['none', 0],
      ],
    );
    for (const property of ['name', 'length']) {
      assert.ok(Object.getOwnPropertyDescriptor(shop.price, property)?.configurable);
    }
  });
});

test('many pipelines of one frozen list have it in common, and a bad one is refused each time', () => {
  const list = Object.freeze([retry(), timeout({ limitMs: 100 })]);
  const [one, other] = [1, 2].map((n) => pipeline(`shares ${n}`, list, { registry: undefined }));
  assert.equal(one!.policies, list);
  assert.equal(other!.policies, list);
  one!.swap(list);
  assert.equal(one!.policies, list);

  const bad = Object.freeze([retry(), retry()]);
  for (let times = 0; times < 2; times += 1) {
    assert.throws(() => pipeline('bad', bad, { registry: undefined }), /retry "retry" twice/);
  }
});
