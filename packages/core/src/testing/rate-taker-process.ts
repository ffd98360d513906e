// Asks a shared rate for turns without pause, and tells its parent when it got them: for tests.
import { Redis } from 'ioredis';
import { redisRateStore } from '../redis/redis-rate-store.ts';

const [url = '', text = '{}'] = process.argv.slice(2);
const { forMs, rule } = JSON.parse(text);
const client = new Redis(url);
const store = redisRateStore(client);
const moments: [notBeforeMs: number, notAfterMs: number][] = [];

for (const endMs = performance.now() + forMs; performance.now() < endMs; ) {
  const notBeforeMs = await redisNow();
  const { taken } = await store.take('shared', rule);
  if (taken) moments.push([notBeforeMs, await redisNow()]);
}
process.send?.(moments);
client.disconnect();

async function redisNow(): Promise<number> {
  const [seconds, micros] = await client.time();
  return Number(seconds) * 1_000 + Number(micros) / 1_000;
}
