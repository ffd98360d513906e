export type { RedisClient } from './client.ts';
export { RedisCircuitStore, type RedisCircuitStoreOptions } from './redis-circuit-store.ts';
export { redisRateStore } from './redis-rate-store.ts';
