import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { systemClock } from '@holdfast/core';
import { eventually, type RedisServer, redisServer, suiteWith } from '@holdfast/test-servers';
import { Redis } from 'ioredis';
import { ComponentSettings } from '../components/component-settings.ts';
import { stateContract } from '../testing/state-contract.ts';
import { redisState } from './redis-state.ts';

await suiteWith('state.redis', redisServer, suite);

function suite({ port, process: redis }: RedisServer): void {
  const open = (more: readonly (readonly [string, string])[] = []) =>
    redisState(settings(`127.0.0.1:${port}`, more), systemClock);
  let client: Redis;
  before(() => {
    // It is in the way of the outage as well.
    client = new Redis(port, '127.0.0.1').on('error', () => {});
  });
  after(async () => {
    client.disconnect();
  });

  stateContract('state.redis', async () => {
    await client.flushall();
    return {
      store: await open(),
      wrongEtag: '99',
      etagOfNothing: 'writes',
      // Redis' clock is its own.
      elapse: (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1_000)),
      another: () => open(),
    };
  });

  describe('state.redis', () => {
    test("keeps items as Dapr's does: a hash of data and version, marked where first-write was asked", async (t) => {
      const store = await open();
      t.after(() => store.close());
      await store.write([set('plain', '{"a":1}'), set('first', '2', { firstWrite: true })], false);
      await store.write([set('plain', '3')], false);
      assert.deepEqual(
        [await client.hgetall('plain'), await client.hgetall('first')],
        [
          { data: '3', version: '2' },
          { data: '2', version: '1', 'first-write': '0' },
        ],
      );
    });

    test('an item lives as the last that spoke of it said: the request, or the component', async (t) => {
      const store = await open([['ttlInSeconds', '100']]);
      const bare = await open();
      t.after(() => Promise.all([store.close(), bare.close()]));
      const left = async (key: string) => Math.ceil((await client.ttl(key)) / 10) * 10;
      const seen: number[] = [];
      for (const [one, more] of [
        [store, {}],
        [store, { ttlSeconds: 50 }],
        [bare, {}],
        [bare, { ttlSeconds: 0 }],
        [store, { ttlSeconds: -1 }],
      ] as const) {
        await one.write([set('mortal', '1', more)], false);
        seen.push(await left('mortal'));
      }
      assert.deepEqual(seen, [100, 50, 50, -0, -0]);
    });

    test('a text that somebody else put there is read, and is in nobody’s way', async (t) => {
      const store = await open();
      t.after(() => store.close());
      await client.set('text', 'just text');
      const before = await store.get('text');
      await store.write([set('text', '1')], false);
      await client.hset('odd', 'a', 'b');
      const odd = await store.get('odd').catch((error: Error) => error.message);
      assert.deepEqual(
        [before, (await store.get('text'))?.etag, odd],
        [
          { value: 'just text', etag: '' },
          '1',
          "required hash field 'data' or 'version' was not found",
        ],
      );
    });

    test('reads beside writes and deletes see an item or none, and never half of one', async (t) => {
      const store = await open();
      t.after(() => store.close());
      let reading = true;
      const writing = (async () => {
        while (reading) {
          await client
            .multi()
            .hset('torn', { data: '1', version: '1' })
            .pexpire('torn', 9_999)
            .exec();
          await client.del('torn');
        }
      })();
      const seen = new Set<string | undefined>();
      for (let n = 0; n < 200; n += 1) {
        const items = await Promise.all(Array.from({ length: 20 }, () => store.get('torn')));
        for (const item of items) seen.add(item?.value.toString());
      }
      reading = false;
      await writing;
      assert.deepEqual([...seen].map(String).toSorted(), ['1', 'undefined']);
    });

    test('an etag that is no number is refused, and nothing else', async (t) => {
      const store = await open();
      t.after(() => store.close());
      await assert.rejects(
        store.write([set('untouched', '1'), set('other', '1', { etag: 'abc' })], false),
        {
          name: 'NotAllWrittenError',
          message: 'invalid etag value: strconv.Atoi: parsing "abc": invalid syntax',
        },
      );
      assert.deepEqual([await client.exists('untouched'), await client.exists('other')], [1, 0]);
    });

    test('is back when Redis is, and says in between who did not answer', async (t) => {
      const store = await open([['redisMaxRetryInterval', '20']]);
      t.after(() => store.close());
      await store.write([set('kept', '1')], false);
      await redis.kill();
      // The first may be what finds out that the connection is gone.
      await store.get('kept').catch(() => {});
      const down = await store.get('kept').catch((error: Error) => error.message);
      await redis.restart();
      const back = await eventually(() => store.get('kept'), Boolean, 'Redis is reached again');
      assert.deepEqual(
        [down, back?.value.toString()],
        [`dial tcp 127.0.0.1:${port}: connect: connection refused`, '1'],
      );
    });

    test('a Redis that hangs is given up after readTimeout', async (t) => {
      const store = await open([['readTimeout', '100ms']]);
      t.after(() => store.close());
      redis.signal('SIGSTOP');
      const hung = await store.get('kept').catch((error: Error) => error.message);
      redis.signal('SIGCONT');
      assert.match(String(hung), /i\/o timeout: no answer within 100 ms \(readTimeout\)$/);
    });

    test('says at the start what is wrong with its metadata', async () => {
      const failure = (host: string, ...more: (readonly [string, string])[]) =>
        redisState(settings(host, more), systemClock).then(
          () => 'opened',
          (error: Error) => error.message,
        );
      assert.deepEqual(
        [
          await failure(''),
          await failure('127.0.0.1:1'),
          await failure(`127.0.0.1:${port}`, ['redisPort', '1']),
          await failure(`127.0.0.1:${port}`, ['enableTLS', 'yes']),
          await failure(`127.0.0.1:${port}`, ['readTimeout', '5 s']),
          await failure(`127.0.0.1:${port}`, ['ttlInSeconds', 'long']),
          await failure(`127.0.0.1:${port}`, ['failover', 'true']),
          await failure(`127.0.0.1:${port}`, ['useEntraID', 'true']),
          await failure(`127.0.0.1:${port}`, ['queryIndexes', '[]']),
        ],
        [
          'component s: metadata redisHost is missing',
          'redis store: error connecting to redis at 127.0.0.1:1: dial tcp 127.0.0.1:1: connect: connection refused',
          `component s: redisHost "127.0.0.1:${port}" and redisPort 1 name two ports; leave one out`,
          'component s: metadata enableTLS must be true or false, not "yes"',
          'component s: metadata readTimeout "5 s" has the unit " s", which is not one; write 500ms, 15s or a number of milliseconds',
          'component s: metadata ttlInSeconds must be a whole number, not "long"',
          'component s: metadata sentinelMasterName is missing',
          'component s: metadata useEntraID is not in this version',
          'component s: metadata queryIndexes is not in this version, which cannot query a Redis; leave it out',
        ],
      );
    });
  });
}

const settings = (host: string, more: readonly (readonly [string, string])[] = []) =>
  new ComponentSettings('s', [['redisHost', host], ...more]);

const set = (
  key: string,
  value: string,
  more: { etag?: string; firstWrite?: boolean; ttlSeconds?: number } = {},
) => ({ kind: 'set', key, value, firstWrite: false, ...more }) as const;
