import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type RedisServer, redisServer, withServer } from '@holdfast/test-servers';
import * as redis from 'ioredis';
import { BrokerRejectedError, BrokerUnavailableError } from '../errors.ts';
import { eventually } from '../testing/eventually.ts';
import { messageTo } from '../testing/servers/redis-suite.ts';
import type { RedisDurability } from './options.ts';
import { redisStreamsBroker } from './redis-streams-broker.ts';

const KILLS = Number(process.env.HOLDFAST_REDIS_KILLS ?? 3);

test(`${KILLS} SIGKILLs of Redis with appendfsync always lose nothing that was acknowledged`, async (t) => {
  const { acknowledged, lost } = await killed(t, ['--appendfsync', 'always']);

  t.diagnostic(`acknowledged ${acknowledged}, lost ${lost}`);
  assert.ok(acknowledged > 0);
  assert.equal(lost, 0);
});

test(`${KILLS} SIGKILLs of Redis with appendfsync everysec lose the last two seconds at most`, async (t) => {
  const { acknowledged, lost, lostBefore } = await killed(t, ['--appendfsync', 'everysec']);

  t.diagnostic(`acknowledged ${acknowledged}, lost ${lost}`);
  assert.ok(acknowledged > 0);
  assert.equal(lostBefore, 0, 'what was acknowledged earlier is there');
});

test('a SIGKILL of Redis without an AOF loses all, which is what "memory" says', async (t) => {
  const { acknowledged, lost } = await killed(t, ['--appendonly', 'no'], 1);

  assert.ok(acknowledged > 0);
  assert.equal(lost, acknowledged);
});

test('a master that is lost for good takes nothing with it that { replicas: 1 } acknowledged, and what only it has is an outage', async (t) => {
  // It has no disk: what it does not pass on is gone.
  const master = await withServer(t, () => redisServer(['--appendonly', 'no']));
  if (master === undefined) return;
  const replica = await withServer(t, () =>
    redisServer(['--replicaof', `127.0.0.1 ${master.port}`]),
  );
  if (replica === undefined) return;
  const second = clientOf(t, replica);
  await eventually(
    () => second.info('replication'),
    (info) => info.includes('master_link_status:up'),
    'the replica follows',
  );
  const run = publish(t, master, { replicas: 1 });
  await eventually(
    () => run.taken.length,
    (count) => count > 50,
    'they are acknowledged',
  );
  await master.process.kill();
  await run.stop();
  await second.replicaof('NO', 'ONE');
  const kept = await idsOf(second);

  t.diagnostic(`acknowledged ${run.taken.length}`);
  assert.deepEqual(
    run.taken.filter(({ id }) => !kept.has(id)),
    [],
  );

  // The same with a replica that stands still.
  await master.process.restart();
  await second.replicaof('127.0.0.1', master.port);
  await eventually(
    () => second.info('replication'),
    (info) => info.includes('master_link_status:up'),
    'the replica follows again',
  );
  replica.process.signal('SIGSTOP');
  const [careful, trusting] = [broker(t, master, { replicas: 1 }), broker(t, master, 'memory')];
  const refusal = await careful.publish([messageTo('kept', 'careful')]).catch((e: unknown) => e);
  await trusting.publish([messageTo('kept', 'trusting')]);
  await master.process.kill();
  replica.process.signal('SIGCONT');
  await second.replicaof('NO', 'ONE');

  assert.ok(refusal instanceof BrokerUnavailableError, String(refusal));
  assert.match(refusal.message, /did not take the messages/);
});

/** Kills it under load, again and again. `lostBefore`: of what was acknowledged two seconds before a kill. */
async function killed(t: TestContext, settings: readonly string[], kills = KILLS) {
  const server = await withServer(t, () => redisServer(settings));
  if (server === undefined) return { acknowledged: 1, lost: 0, lostBefore: 0 };
  const run = publish(t, server, 'memory');
  const old: string[] = [];
  for (let kill = 0; kill < kills; kill += 1) {
    const enough = run.taken.length + 100;
    await eventually(
      () => run.taken.length,
      (count) => count >= enough,
      'they are acknowledged',
    );
    // Nothing is promised of the last two seconds: what is older than that must be there.
    const killedMs = performance.now();
    await server.process.kill();
    old.push(...run.taken.filter(({ ms }) => ms < killedMs - 2_000).map(({ id }) => id));
    if (kill < kills - 1) await server.process.restart();
  }
  await run.stop();
  await server.process.restart();
  const client = clientOf(t, server);
  await eventually(
    () => client.ping().catch(String),
    (answer) => answer === 'PONG',
    'Redis has read its file',
  );
  const kept = await idsOf(client);
  return {
    acknowledged: run.taken.length,
    lost: run.taken.filter(({ id }) => !kept.has(id)).length,
    lostBefore: old.filter((id) => !kept.has(id)).length,
  };
}

function broker(t: TestContext, { url }: RedisServer, durability: RedisDurability) {
  const options = { redis, url, clientId: 'publisher', durability, timeoutMs: 2_000 };
  const opened = redisStreamsBroker(options);
  t.after(() => opened.close());
  return opened;
}

/** Publishes one after another, and takes down what was acknowledged, and when. */
function publish(t: TestContext, server: RedisServer, durability: RedisDurability) {
  const publisher = broker(t, server, durability);
  const taken: { readonly id: string; readonly ms: number }[] = [];
  let stopped = false;
  const running = (async () => {
    for (let n = 0; !stopped; n += 1) {
      const id = `m${n}`;
      try {
        await publisher.publish([messageTo('kept', id)]);
        taken.push({ id, ms: performance.now() });
      } catch (error) {
        const away =
          error instanceof BrokerUnavailableError || error instanceof BrokerRejectedError;
        if (!away) throw error;
        await sleep(20);
      }
    }
  })();
  const stop = () => {
    stopped = true;
    return running;
  };
  t.after(stop);
  return { taken, stop };
}

async function idsOf(client: redis.Redis): Promise<ReadonlySet<string>> {
  const entries = await client.xrange('holdfast:{kept}', '-', '+');
  return new Set(entries.map(([, fields]) => String(fields[fields.indexOf('id') + 1])));
}

function clientOf(t: TestContext, { port }: RedisServer) {
  const client = new redis.Redis({ port, host: '127.0.0.1' }).on('error', () => {});
  t.after(() => client.disconnect());
  return client;
}
