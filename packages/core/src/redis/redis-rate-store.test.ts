import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { describe, type TestContext, test } from 'node:test';
import { redisServer, until, withServer } from '@holdfast/test-servers';
import { Redis } from 'ioredis';
import { pipeline } from '../pipeline.ts';
import { rateLimit } from '../rate-limit/rate-limit.ts';
import { record } from '../testing/record.ts';
import { redisRateStore } from './redis-rate-store.ts';

const RULE = { intervalMs: 1_000, burst: 5, maxWaitMs: 0 } as const;

describe('a rate in Redis', () => {
  for (const algorithm of ['token-bucket', 'sliding-window'] as const) {
    test(`${algorithm}: four processes together get no more than one may`, async (t) => {
      const server = await withServer(t, redisServer);
      if (server === undefined) return;
      const rule = { ...RULE, algorithm, limit: 50 };

      const taken = await takeFromProcesses(t, server.url, { processes: 4, forMs: 2_000, rule });

      // By Redis' own clock: between which moments each turn was taken.
      for (const [from] of taken) {
        const within = taken.filter(([first, last]) => first >= from && last < from + 1_000).length;
        const most = algorithm === 'sliding-window' ? 50 : 50 + 5;
        assert.ok(within <= most, `${within} turns within a second`);
      }
      assert.ok(taken.length >= 50, `${taken.length} turns in all`);
    });
  }

  test('promises later turns in order, and takes none that would be too late', async (t) => {
    const server = await withServer(t, redisServer);
    if (server === undefined) return;
    const store = redisRateStore(connect(t, server.url));
    for (const algorithm of ['token-bucket', 'sliding-window'] as const) {
      const rule = { algorithm, limit: 1, intervalMs: 10_000, burst: 1, maxWaitMs: 15_000 };
      const answers = [];
      for (let n = 0; n < 3; n += 1) answers.push(await store.take('orders', rule));
      assert.deepEqual(
        answers.map(({ taken, waitMs }) => [taken, Math.round(waitMs / 10_000)]),
        [
          [true, 0],
          [true, 1],
          [false, 2],
        ],
        algorithm,
      );
    }
  });

  test('a bucket gives its burst at once, a window its limit', async (t) => {
    const server = await withServer(t, redisServer);
    if (server === undefined) return;
    const store = redisRateStore(connect(t, server.url));
    const rule = { limit: 2, intervalMs: 60_000, burst: 4, maxWaitMs: 0 };
    const taken = async (algorithm: 'token-bucket' | 'sliding-window') => {
      let turns = 0;
      for (let n = 0; n < 6; n += 1)
        if ((await store.take('k', { ...rule, algorithm })).taken) turns += 1;
      return turns;
    };
    assert.deepEqual([await taken('token-bucket'), await taken('sliding-window')], [4, 2]);
  });

  test('leaves nothing behind when the rate is idle', async (t) => {
    const server = await withServer(t, redisServer);
    if (server === undefined) return;
    const client = connect(t, server.url);
    const store = redisRateStore(client, { prefix: 'mine:' });
    await store.take('a', {
      algorithm: 'token-bucket',
      limit: 100,
      // Longer than the slowest machine takes to ask for the rest of it.
      intervalMs: 60_000,
      burst: 1,
      maxWaitMs: 0,
    });
    const keys = await client.keys('mine:*');
    const goneInMs = await client.pttl(keys[0]!);
    assert.equal(keys.length, 1);
    assert.ok(goneInMs > 0 && goneInMs <= 60_000, `${goneInMs} ms`);
  });

  test('killed or paused in the middle, it costs the time limit and no call, and is used again when it is back', async (t) => {
    const server = await withServer(t, redisServer);
    if (server === undefined) return;
    const client = connect(t, server.url);
    const { events, listener } = record();
    const policy = rateLimit({
      limit: 1_000,
      store: redisRateStore(client),
      storeTimeoutMs: 3_000,
    });
    const p = pipeline('orders', [policy], { report: listener, registry: undefined });
    const failures = () => events.filter(({ type }) => type === 'store-failed').length;

    await p.execute(() => 1);
    const well = failures();
    server.process.signal('SIGSTOP');
    assert.equal(await p.execute(() => 2), 2);
    const paused = failures();
    server.process.signal('SIGCONT');
    await server.process.kill();
    assert.equal(await p.execute(() => 3), 3);
    const killed = failures();
    await server.process.restart();
    await until('Redis is used again', async () => {
      const before = failures();
      await p.execute(() => 4);
      return failures() === before;
    });
    const before = failures();
    await p.execute(() => 5);

    assert.deepEqual([well, paused, killed, failures() - before], [0, 1, 2, 0]);
  });
});

function connect(t: TestContext, url: string): Redis {
  const client = new Redis(url, {
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    lazyConnect: false,
  });
  client.on('error', () => {});
  t.after(() => client.disconnect());
  return patient(client);
}

/** Commands given before the first connection wait for it; after that they fail fast. */
function patient(client: Redis): Redis {
  const ready = once(client, 'ready');
  const evaluate = client.eval.bind(client) as (...args: unknown[]) => Promise<unknown>;
  return Object.assign(client, {
    eval: async (...args: unknown[]) => {
      await ready;
      return evaluate(...args);
    },
  });
}

/** The moments before and after, by Redis' clock, of the turns that so many processes took, each asking without pause. */
async function takeFromProcesses(
  t: TestContext,
  url: string,
  work: { readonly processes: number; readonly forMs: number; readonly rule: object },
): Promise<[notBeforeMs: number, notAfterMs: number][]> {
  const script = new URL('../testing/rate-taker-process.ts', import.meta.url);
  const children = Array.from({ length: work.processes }, () =>
    fork(script, [url, JSON.stringify(work)], { execArgv: ['--conditions=source'] }),
  );
  t.after(() => {
    for (const child of children) child.kill('SIGKILL');
  });
  const answers = await Promise.all(
    children.map(
      async (child: ChildProcess) => (await once(child, 'message'))[0] as [number, number][],
    ),
  );
  return answers.flat();
}
