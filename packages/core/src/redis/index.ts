export type { RedisClient } from './client.ts';
export { redisCircuitStore } from './redis-circuit-store.ts';
export { redisRateStore } from './redis-rate-store.ts';
