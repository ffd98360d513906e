import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { circuitBreaker, createRegistry, pipeline } from '@holdfast/core';
import { VirtualClock } from '@holdfast/core/testing';
import { circuitsOf } from './circuits-of.ts';
import { type HealthOptions, healthRoutes } from './health-routes.ts';

describe('health', () => {
  test('says healthy, degraded or unhealthy by what fails', async () => {
    const down = () => {
      throw new Error('connection refused');
    };
    const cases: readonly HealthOptions[] = [
      {},
      { checks: { database: () => undefined } },
      { checks: { database: () => undefined }, optionalChecks: { cache: down } },
      { checks: { database: down } },
    ];
    const said = await Promise.all(
      cases.map(async (options) => {
        const routes = healthRoutes(options);
        const [health, ready] = [await routes.health(), await routes.ready()];
        return [health.status, health.body.status, ready.status, routes.live().status];
      }),
    );

    assert.deepEqual(said, [
      [200, 'healthy', 200, 200],
      [200, 'healthy', 200, 200],
      [200, 'degraded', 200, 200],
      [503, 'unhealthy', 503, 200],
    ]);
  });

  test('shows the circuits of a registry and what they mean for the services behind them', async () => {
    const clock = new VirtualClock();
    const registry = createRegistry();
    const auth = pipeline('auth', [circuitBreaker({ consecutiveFailures: 2, openMs: 10_000 })], {
      clock,
      registry,
    });
    pipeline('sensor', [circuitBreaker()], { clock, registry });
    const fail = () => Promise.reject(new Error('down'));
    await auth.execute(fail).catch(() => {});
    await auth.execute(fail).catch(() => {});
    await clock.advance(4_000);
    const { body } = await healthRoutes({ clock, circuits: () => circuitsOf(registry) }).health();

    const { auth: open, sensor: closed } = body.circuit_breakers as ReturnType<typeof circuitsOf>;
    const { failures, ...rest } = open!;
    assert.deepEqual(
      { status: body.status, services: body.services, rest, closed },
      {
        status: 'degraded',
        services: { auth: 'unavailable', sensor: 'available' },
        rest: { state: 'open', open: true, retry_after_ms: 6_000, why: '2 failures in a row' },
        closed: { state: 'closed', open: false, failures: 0, retry_after_ms: 0, why: '' },
      },
    );
    assert.equal(typeof failures, 'number');
  });

  test('a pipeline with two circuits names both', () => {
    const registry = createRegistry();
    const two = [circuitBreaker({ name: 'slow' }), circuitBreaker({ name: 'fast' })];
    pipeline('auth', two, { registry });

    assert.deepEqual(Object.keys(circuitsOf(registry)), ['auth/slow', 'auth/fast']);
  });

  test('a storm of requests is one check, until its result is old', async () => {
    const clock = new VirtualClock();
    let asked = 0;
    const database = async () => {
      asked += 1;
      await clock.sleep(20);
      return { connections: asked };
    };
    const routes = healthRoutes({ checks: { database }, cacheMs: 1_000, clock });
    const storm = () => Promise.all(Array.from({ length: 500 }, () => routes.health()));
    const seen = await clock.run(async () => {
      const counts: number[] = [];
      for (const waitMs of [500, 600, 0]) {
        await storm();
        counts.push(asked);
        await clock.sleep(waitMs);
      }
      return counts;
    });

    assert.deepEqual(seen, [1, 1, 2]);
  });

  test('a check that hangs fails in time, is told to stop, and is not started again while it hangs', async () => {
    const clock = new VirtualClock();
    const signals: AbortSignal[] = [];
    let release = () => {};
    const database = (signal: AbortSignal) => {
      signals.push(signal);
      return new Promise<void>((resolve) => {
        release = resolve;
      });
    };
    const routes = healthRoutes({ checks: { database }, checkTimeoutMs: 300, cacheMs: 100, clock });
    const said = await clock.run(async () => {
      const answers = [await routes.ready()];
      await clock.sleep(5_000);
      answers.push(await routes.ready());
      release();
      await clock.sleep(5_000);
      const last = routes.ready();
      await clock.sleep(10);
      release();
      answers.push(await last);
      return answers.map(({ status, body }) => [status, (body.checks as Checks).database.error]);
    });

    assert.deepEqual(
      { said, started: signals.length, told: signals.map((signal) => signal.aborted) },
      {
        said: [
          [503, 'no answer within 300 ms'],
          [503, 'no answer within 300 ms'],
          [200, undefined],
        ],
        started: 2,
        told: [true, false],
      },
    );
    assert.equal(clock.pendingTimers, 0);
  });

  test('what a check says and JSON cannot is told of; it has passed all the same', async () => {
    const routes = healthRoutes({ checks: { queue: () => ({ length: 3n }) } });
    const { status, body } = await routes.health();

    assert.deepEqual(
      [status, Object(body.checks).queue.status, Object(body.checks).queue.details],
      [200, 'pass', 'cannot be shown: Do not know how to serialize a BigInt'],
    );
  });

  test('a draining service is alive and healthy, but gets no new requests', async () => {
    const routes = healthRoutes();
    routes.drain();

    assert.deepEqual(
      [await routes.ready(), (await routes.health()).status, routes.live().status],
      [{ status: 503, body: { status: 'draining' } }, 200, 200],
    );
  });

  test('times that cannot work are refused by name', () => {
    assert.throws(() => healthRoutes({ checkTimeoutMs: 0 }), {
      name: 'RangeError',
      message: 'health.checkTimeoutMs must be a number from 1 to 60000, not 0.',
    });
    assert.throws(() => healthRoutes({ cacheMs: -1 }), /health\.cacheMs/);
  });
});

type Checks = Record<'database', { error?: string }>;
