import type { TestContext } from 'node:test';
import { type RedisServer, redisServer, Unavailable } from '@holdfast/test-servers';
import * as redis from 'ioredis';
import type { Broker, SubscribeOptions } from '../../broker.ts';
import type { IncomingMessage, OutgoingMessage } from '../../message.ts';
import type { RedisStreamsBrokerOptions } from '../../redis-streams/options.ts';
import { redisStreamsBroker } from '../../redis-streams/redis-streams-broker.ts';
import { eventually } from '../eventually.ts';

type More = Partial<RedisStreamsBrokerOptions>;

/** A Redis for the tests of one file, and what they do with it. */
export interface RedisSuite {
  /** Why there is none. */
  readonly skip: string | false;
  readonly server: RedisServer;
  /** The caller closes it. */
  connect(clientId: string, more?: More): Broker;
  /** Closed when the test ends. */
  opened(t: TestContext, clientId: string, more?: More): Broker;
  /** The driver itself, disconnected when the test ends. */
  raw(t: TestContext): redis.Redis;
  /** What the first messages of a topic are to a group of its own. */
  collect(
    t: TestContext,
    topic: string,
    count: number,
    more?: More,
    how?: Partial<SubscribeOptions>,
  ): Promise<IncomingMessage[]>;
}

/** Starts it. `server.process.remove` is the caller's. */
export async function redisSuite(): Promise<RedisSuite> {
  const found = await redisServer();
  if (found instanceof Unavailable && process.env.CI === 'true') throw new Error(found.why);
  const server = found as RedisServer;
  const suite: RedisSuite = {
    skip: found instanceof Unavailable ? found.why : false,
    server,
    connect: (clientId, more = {}) =>
      redisStreamsBroker({
        redis,
        url: server.url,
        clientId,
        timeoutMs: 5_000,
        reconnectMs: 100,
        ...more,
      }),
    opened(t, clientId, more) {
      const broker = suite.connect(clientId, more);
      t.after(() => broker.close());
      return broker;
    },
    raw(t) {
      const client = new redis.Redis(server.url);
      t.after(() => client.disconnect());
      return client;
    },
    async collect(t, topic, count, more, how) {
      const got: IncomingMessage[] = [];
      await suite
        .opened(t, 'collector', more)
        .subscribe(topic, { group: 'g', ...how }, async (each) => void got.push(each));
      await eventually(
        () => got.length,
        (now) => now >= count,
        `${count} of ${topic} arrive`,
      );
      return got;
    },
  };
  return suite;
}

/** A small one. */
export function messageTo(topic: string, id: string, key?: string): OutgoingMessage {
  return { id, topic, key, body: Buffer.from('x'), headers: {} };
}
