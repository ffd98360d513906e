export type { RedisClient } from './client.ts';
export { type RedisCacheStoreOptions, redisCacheStore } from './redis-cache-store.ts';
export { redisCircuitStore } from './redis-circuit-store.ts';
export { redisRateStore } from './redis-rate-store.ts';
