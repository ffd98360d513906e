import assert from 'node:assert/strict';
import { after, before, describe, type TestContext, test } from 'node:test';
import { systemClock } from '@holdfast/core';
import { createLogger } from '@holdfast/telemetry/log';
import { type RedisServer, redisServer, suiteWith, until } from '@holdfast/test-servers';
import { Redis } from 'ioredis';
import { ComponentSettings } from '../../../components/component-settings.ts';
import { pubsubContract } from '../../testing/pubsub-contract.ts';
import { redisPubSub } from './redis-pubsub.ts';

await suiteWith('pubsub.redis', redisServer, suite);

function suite({ port, process: redis }: RedisServer): void {
  const lines: string[] = [];
  const log = createLogger({ write: (line) => void lines.push(line) });
  const open = (more: Readonly<Record<string, string>> = {}) =>
    redisPubSub(
      new ComponentSettings('p', Object.entries({ redisHost: `127.0.0.1:${port}`, ...more })),
      { appId: 'one', clock: systemClock, log },
    );
  const quick = { processingTimeout: '300ms', redeliverInterval: '100' };
  let client: Redis;
  before(() => {
    // It is in the way of the outage as well.
    client = new Redis(port, '127.0.0.1').on('error', () => {});
  });
  after(async () => {
    client.disconnect();
  });

  pubsubContract('pubsub.redis', async () => ({
    // Long enough that what is in hand on a slow machine is not handed over once more.
    open: (group) => open({ consumerID: group, ...quick, processingTimeout: '2s' }),
    outage: { begin: () => redis.kill(), end: () => redis.restart() },
  }));

  describe('pubsub.redis', () => {
    const opened = async (t: TestContext, more: Readonly<Record<string, string>> = {}) => {
      const broker = await open(more);
      t.after(() => broker.close());
      return broker;
    };
    const event = (text: string) => ({ data: Buffer.from(text), metadata: { a: 'b' } });

    test("entries and groups are Dapr's: data, metadata as JSON, the application as group and member", async (t) => {
      const broker = await opened(t);
      const taken = Promise.withResolvers<void>();
      await broker.publish('layout', event('x'));
      await broker.subscribe('layout', async () => taken.resolve());
      await taken.promise;
      const [[, fields]] = (await client.xrange('layout', '-', '+')) as [[string, string[]]];
      const [group] = (await client.xinfo('GROUPS', 'layout')) as [unknown[]];
      const [member] = (await client.xinfo('CONSUMERS', 'layout', 'one')) as [unknown[]];
      assert.deepEqual(
        [fields, group[1], member[1]],
        [['data', 'x', 'metadata', '{"a":"b"}'], 'one', 'one'],
      );
    });

    test('a stream is kept about as long as it was told to be', async (t) => {
      const broker = await opened(t, { maxLenApprox: '100' });
      for (let n = 0; n < 500; n += 1) await broker.publish('short', event('x'));
      const length = await client.xlen('short');
      assert.ok(length >= 100 && length < 300, `${length}`);
    });

    test('no more than concurrency are in hand, and no more than queueDepth waiting', async (t) => {
      const broker = await opened(t, { concurrency: '3', queueDepth: '5' });
      for (let n = 0; n < 50; n += 1) await broker.publish('many', event('x'));
      let [now, most, done, mostPending] = [0, 0, 0, 0];
      await broker.subscribe('many', async () => {
        now += 1;
        most = Math.max(most, now);
        const [pending] = (await client.xpending('many', 'one')) as [number];
        mostPending = Math.max(mostPending, pending);
        now -= 1;
        done += 1;
      });
      await until('all are handled', () => done >= 50);
      assert.equal(most, 3);
      assert.ok(mostPending <= 5 + 3, `${mostPending}`);
    });

    test('a handler that is too slow is told so, and another delivery begins', async (t) => {
      const broker = await opened(t, quick);
      const reasons: string[] = [];
      await broker.subscribe('slow', async (_message, signal) => {
        if (reasons.length > 0) return;
        await new Promise((resolve) => signal?.addEventListener('abort', resolve));
        reasons.push(signal?.reason.message);
        throw signal?.reason;
      });
      await broker.publish('slow', event('x'));
      await until(
        'it is told once and acknowledged',
        async () =>
          reasons.length === 1 && ((await client.xpending('slow', 'one')) as [number])[0] === 0,
      );
      assert.deepEqual(reasons, ['processingTimeout is over']);
    });

    test('with ackOnError what fails is done with, and a line says so; what is late is not', async (t) => {
      const broker = await opened(t, { ackOnError: 'true', ...quick });
      const seen: string[] = [];
      await broker.subscribe('forgotten', async ({ data }, signal) => {
        seen.push(String(data));
        if (String(data) === 'fails') throw new Error('no');
        if (seen.filter((text) => text === 'late').length > 1) return;
        await new Promise((resolve) => signal?.addEventListener('abort', resolve));
        throw signal?.reason;
      });
      await broker.publish('forgotten', event('fails'));
      await broker.publish('forgotten', event('late'));
      await until(
        'the late one has come twice',
        () => seen.filter((text) => text === 'late').length === 2,
      );
      await until(
        'nothing is in hand',
        async () => ((await client.xpending('forgotten', 'one')) as [number])[0] === 0,
      );
      assert.deepEqual(seen.toSorted(), ['fails', 'late', 'late']);
      assert.ok(lines.some((line) => /Event .* of forgotten in p is given up: no/.test(line)));
    });

    test('what a member had in hand when it was killed goes to another', async (t) => {
      const broker = await opened(t, quick);
      await broker.publish('orphan', event('x'));
      await client.xgroup('CREATE', 'orphan', 'one', '0');
      await client.xreadgroup('GROUP', 'one', 'gone', 'STREAMS', 'orphan', '>');
      const taken = Promise.withResolvers<string>();
      await broker.subscribe('orphan', async ({ data }) => taken.resolve(String(data)));
      assert.equal(await taken.promise, 'x');
    });

    test('what waits for its turn longer than processingTimeout comes once, whoever else is idle', async (t) => {
      // The first is at work for two of its times, and has the rest of them in memory meanwhile.
      const timing = { concurrency: '1', processingTimeout: '2s' };
      const busy = await opened(t, { ...timing, redeliverInterval: '1m' });
      const idle = await opened(t, { ...timing, redeliverInterval: '100ms' });
      const texts: string[] = [];
      const take = async ({ data }: { readonly data: Uint8Array }) => {
        texts.push(Buffer.from(data).toString());
        await new Promise((resolve) => setTimeout(resolve, 900));
      };
      for (const text of ['a', 'b', 'c', 'd', 'e']) await busy.publish('patient', event(text));
      await busy.subscribe('patient', take);
      await until('the first has begun', () => texts.length === 1);
      await idle.subscribe('patient', take);
      await until('nothing is pending', async () => {
        const [pending] = (await client.xpending('patient', 'one')) as [number];
        return texts.length >= 5 && pending === 0;
      });
      assert.deepEqual(texts, ['a', 'b', 'c', 'd', 'e']);
    });

    test('events taken and not begun when it drains are there for others at once', async (t) => {
      const [leaving, staying] = [
        await opened(t, { concurrency: '1', processingTimeout: '1h' }),
        await opened(t, { processingTimeout: '1h', redeliverInterval: '50ms' }),
      ];
      for (const text of ['a', 'b', 'c']) await leaving.publish('queued', event(text));
      const begun = Promise.withResolvers<void>();
      const release = Promise.withResolvers<void>();
      await leaving.subscribe('queued', async () => {
        begun.resolve();
        await release.promise;
      });
      await begun.promise;
      const draining = leaving.drain();
      release.resolve();
      await draining;
      const texts: string[] = [];
      await staying.subscribe('queued', async ({ data }) => void texts.push(String(data)));
      await until('both have come', () => texts.length === 2);
      assert.deepEqual(texts.toSorted(), ['b', 'c']);
    });

    test('without a redelivery what failed stays away, and what was in hand when a sidecar ended comes again', async (t) => {
      const off = { processingTimeout: '0', redeliverInterval: '0' };
      const [stopped, killed] = [
        await opened(t, { ...off, concurrency: '2' }),
        await opened(t, off),
      ];
      for (const text of ['fails', 'is slow', 'waits']) {
        await stopped.publish('kept', event(text));
      }
      const ending = Promise.withResolvers<void>();
      const texts: string[] = [];
      await stopped.subscribe('kept', async ({ data }) => {
        texts.push(String(data));
        if (String(data) === 'fails') throw new Error('no');
        await ending.promise;
        throw new Error('its sidecar ends');
      });
      await until('two are in hand', () => texts.length === 3);
      const draining = stopped.drain();
      ending.resolve();
      await draining;
      // As one that is killed leaves it: nobody says any more that it has it.
      await killed.publish('kept', event('was killed'));
      await client.xreadgroup('GROUP', 'one', 'holdfast', 'STREAMS', 'kept', '>');
      const all = (await client.xpending('kept', 'one', '-', '+', 9)) as [string, string][];
      const [id] = all.at(-1)!;
      await client.call('XCLAIM', 'kept', 'one', 'holdfast', '0', id, 'IDLE', '60000', 'JUSTID');
      const again: string[] = [];
      const next = await opened(t, off);
      await next.subscribe('kept', async ({ data }) => void again.push(String(data)));
      await until('what was in hand has come', () => again.length === 3);
      assert.deepEqual(again.toSorted(), ['is slow', 'waits', 'was killed']);
      await until('what failed is left', async () => {
        const left = (await client.xpending('kept', 'one', '-', '+', 9)) as [string, string][];
        return left.length === 1 && left[0]![1] === 'one';
      });
    });

    test('a stream that was deleted has its group again', async (t) => {
      const broker = await opened(t, { readTimeout: '100ms', ...quick });
      const texts: string[] = [];
      await broker.subscribe('deleted', async ({ data }) => void texts.push(String(data)));
      await client.del('deleted');
      await broker.publish('deleted', event('again'));
      await until('what came after is taken', () => texts.includes('again'));
      assert.ok(lines.some((line) => line.includes('Events of deleted in p cannot be taken')));
    });

    test('metadata that cannot be keeps it from starting, and says which', async () => {
      const failure = (more: Readonly<Record<string, string>>) =>
        open(more).then(
          () => 'opened',
          ({ message }: Error) => message,
        );
      assert.deepEqual(
        [
          await failure({ redisHost: '127.0.0.1:1' }),
          await failure({ concurrency: '0' }),
          await failure({ queueDepth: 'deep' }),
          await failure({ processingTimeout: 'long' }),
        ],
        [
          'redis streams: error connecting to redis at 127.0.0.1:1: dial tcp 127.0.0.1:1: connect: connection refused',
          'component p: metadata concurrency must be at least 1, not 0',
          'component p: metadata queueDepth must be a whole number, not "deep"',
          'component p: metadata processingTimeout "long" has a unit without a number; write 500ms, 15s or a number of milliseconds',
        ],
      );
    });
  });
}
