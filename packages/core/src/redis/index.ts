export type { RedisClient } from './client.ts';
export { redisRateStore } from './redis-rate-store.ts';
