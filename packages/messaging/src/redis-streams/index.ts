export type { RedisClient, RedisClientOptions, RedisModule } from './module.ts';
export {
  REDIS_STREAMS_BROKER_DEFAULTS,
  type RedisDurability,
  type RedisStreamsBrokerOptions,
} from './options.ts';
export { redisStreamsBroker } from './redis-streams-broker.ts';
