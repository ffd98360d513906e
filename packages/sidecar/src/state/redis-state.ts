import type { Clock } from '@holdfast/core';
import type { ComponentSettings } from '../components/component-settings.ts';
import { utcSeconds } from '../components/utc-seconds.ts';
import { openRedis, type RedisConnection } from '../redis/open-redis.ts';
import { redisSettings, wholeNumber } from '../redis/redis-settings.ts';
import { WRITE } from './redis-write.ts';
import {
  EtagMismatchError,
  InvalidEtagError,
  type StateItem,
  type StateOperation,
  type StateStore,
} from './state-store.ts';

/**
 * `state.redis`: Dapr's hashes, so that both can share one Redis. The time an
 * item lives is Redis' own.
 *
 * @throws Error for a Redis that does not answer, or metadata that cannot be.
 */
export async function redisState(settings: ComponentSettings, clock: Clock): Promise<StateStore> {
  const given = settings.text('ttlInSeconds');
  const ttlSeconds = given === undefined ? undefined : wholeNumber(settings, 'ttlInSeconds', 0);
  const redis = await openRedis(redisSettings(settings), { what: 'redis store' });
  const inCluster = redis.settings.kind === 'cluster';

  const write = async (operations: readonly StateOperation[], atomic: boolean): Promise<void> => {
    const args = operations.flatMap((operation) => argumentsOf(operation, ttlSeconds));
    const keys = operations.map(({ key }) => key);
    const [, conflict] = (await redis.run((client) =>
      client.eval(WRITE, keys.length, ...keys, atomic ? 1 : 0, ...args),
    )) as [number, number];
    if (conflict === 0) return;
    const { etag, key, kind } = operations[conflict - 1]!;
    const failed = `failed to ${kind} key ${key}`;
    throw new EtagMismatchError(etag === undefined ? `${failed}: it is there already` : failed);
  };
  return {
    capabilities: ['ETAG', 'TRANSACTIONAL', 'TTL'],
    get: (key) => get(redis, key, clock),
    async write(operations, atomic) {
      for (const operation of operations) checkEtag(operation);
      // The keys of one step must be in one slot, and those of a client's list need not be.
      if (inCluster && !atomic) for (const one of operations) await write([one], false);
      else await write(operations, atomic);
    },
    async close() {
      redis.close();
    },
  };
}

async function get(
  redis: RedisConnection,
  key: string,
  clock: Clock,
): Promise<StateItem | undefined> {
  const answer = await redis.run((client) =>
    Promise.all([client.hgetallBuffer(key), client.pttl(key)]).catch((error: Error) => {
      if (error.message.startsWith('WRONGTYPE')) return undefined;
      throw error;
    }),
  );
  if (answer === undefined) return await plain(redis, key);
  // The hash in one command: somebody may write or delete it before the next.
  const [hash, leftMs] = answer;
  const { data, version } = hash;
  if (data === undefined || version === undefined) {
    if (Object.keys(hash).length === 0) return undefined;
    throw new Error("required hash field 'data' or 'version' was not found");
  }
  const expiresAt = leftMs >= 0 ? utcSeconds(clock.wallMs() + leftMs) : undefined;
  // What was written over gRPC need not be text.
  return { value: data, etag: version.toString(), expiresAt };
}

/** What somebody else put there as a text; it has no etag. */
async function plain(redis: RedisConnection, key: string): Promise<StateItem | undefined> {
  const value = await redis.run((client) => client.get(key));
  return value === null ? undefined : { value, etag: '' };
}

function checkEtag({ etag, kind }: StateOperation): void {
  if (kind === 'delete' || etag === undefined || /^[+-]?\d+$/.test(etag)) return;
  throw new InvalidEtagError(`strconv.Atoi: parsing ${JSON.stringify(etag)}: invalid syntax`);
}

function argumentsOf(operation: StateOperation, byDefault: number | undefined) {
  const { etag = '', kind } = operation;
  if (kind === 'delete') return [kind, etag, 0, '', ''];
  const { firstWrite, ttlSeconds = byDefault, value } = operation;
  return [kind, etag, firstWrite ? 1 : 0, value, ttlSeconds ?? ''];
}
