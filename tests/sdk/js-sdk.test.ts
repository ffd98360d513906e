import { after, before, describe, test } from 'node:test';
import { redisServer, Unavailable } from '@holdfast/test-servers';
import { Redis } from 'ioredis';
import { bothMakes } from '../conformance/makes/both-makes.ts';
import { invokerSuite, listenAll } from './js-invoker-suite.ts';
import { othersSuite, receiveAll } from './js-others-suite.ts';
import { type JsPair, startJsPair } from './js-pair.ts';
import { pubsubSuite, subscribeAll } from './js-pubsub-suite.ts';
import { stateSuite } from './js-state-suite.ts';

const redis = await redisServer();
if (redis instanceof Unavailable) {
  if (process.env.CI === 'true') throw new Error(redis.why);
  test("Dapr's JavaScript SDK", { skip: redis.why }, () => {});
} else {
  after(() => redis.process.remove());
  await bothMakes((make, executable) => {
    for (const protocol of ['HTTP', 'gRPC'] as const) {
      describe(`${make}, Dapr's JavaScript SDK over ${protocol}, unchanged`, () => {
        let pair: JsPair;
        before(async () => {
          const client = new Redis(redis.port, '127.0.0.1');
          await client.flushall();
          client.disconnect();
          pair = await startJsPair(executable, protocol, redis.port, async (server, arrivals) => {
            await subscribeAll(server, arrivals);
            await listenAll(server);
            await receiveAll(server, arrivals);
          });
        });
        after(() => pair?.stop());
        pubsubSuite(() => pair);
        stateSuite(() => pair);
        invokerSuite(() => pair);
        othersSuite(make, () => pair, redis.port);
      });
    }
  });
}
