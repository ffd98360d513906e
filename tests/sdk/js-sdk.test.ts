import { after, before, describe } from 'node:test';
import { redisServer, suiteWith } from '@holdfast/test-servers';
import { Redis } from 'ioredis';
import { bothMakes } from '../conformance/makes/both-makes.ts';
import { invokerSuite, listenAll } from './js-invoker-suite.ts';
import { othersSuite, receiveAll } from './js-others-suite.ts';
import { type JsPair, startJsPair } from './js-pair.ts';
import { pubsubSuite, subscribeAll } from './js-pubsub-suite.ts';
import { stateSuite } from './js-state-suite.ts';

await suiteWith("Dapr's JavaScript SDK", redisServer, async (redis) => {
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
});
