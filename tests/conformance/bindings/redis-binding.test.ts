import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type RedisServer, redisServer, suiteWith } from '@holdfast/test-servers';
import { Redis } from 'ioredis';
import { type AppMesh, startAppMesh } from '../makes/app-mesh.ts';
import { bothMakes, type Make } from '../makes/both-makes.ts';
import { componentYaml } from '../makes/component-yaml.ts';
import { overGrpc, overHttp } from './play-binding.ts';
import { REDIS_BINDINGS } from './redis-cases.ts';

await suiteWith('bindings.redis', redisServer, async (server) => {
  await bothMakes((make, executable) => conformance(make, executable, server), 'bindings/redis');
});

function conformance(make: Make, executable: string | undefined, { port }: RedisServer): void {
  for (const [protocol, play] of [
    ['HTTP', overHttp],
    ['gRPC', overGrpc],
  ] as const) {
    describe(`${make}, bindings.redis over ${protocol}`, () => {
      let mesh: AppMesh<'caller'>;
      let redis: Redis;
      before(async () => {
        redis = new Redis(port, '127.0.0.1');
        await redis.flushall();
        await redis.rpush('list', 'x');
        const settings = { redisHost: `127.0.0.1:${port}`, redisPassword: '' };
        const caller = {
          resources: { 'kept.yaml': componentYaml('kept', 'bindings.redis', settings) },
        };
        mesh = await startAppMesh(executable, { caller });
      });
      after(async () => {
        await mesh?.stop();
        redis.disconnect();
      });

      for (const one of REDIS_BINDINGS) {
        test(one.name, () => play(mesh, one, make, (text) => text));
      }

      test('what is in Redis then: keys without a prefix, with the time they have', async () => {
        const lives = async (key: string) => (await redis.ttl(key)) > 0;
        assert.deepEqual(
          [await redis.get('t'), await lives('t'), await redis.get('m'), await lives('m')],
          ['1', true, '1', true],
        );
        // daprd writes what it then refuses.
        assert.equal(await redis.exists('timed'), make === 'daprd' ? 1 : 0);
      });
    });
  }
}
