/**
 * A member of a group as a process of its own, to be stopped and killed: `URL TOPIC CONCURRENCY HANDLER_MS`.
 * Prints the id of each message when its handler begins.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import * as redis from 'ioredis';
import { redisStreamsBroker } from './redis-streams-broker.ts';

const [url = '', topic = '', concurrency = '1', handlerMs = '0'] = process.argv.slice(2);
const broker = redisStreamsBroker({
  redis,
  url,
  clientId: 'member-process',
  claimIdleMs: 1_000,
  reconnectMs: 100,
});
await broker.subscribe(topic, { group: 'g', concurrency: Number(concurrency) }, async ({ id }) => {
  process.stdout.write(`${id}\n`);
  await sleep(Number(handlerMs));
});
process.stdout.write('subscribed\n');
