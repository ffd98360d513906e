import type { Clock } from '@holdfast/core';
import type { ComponentSettings } from '../components/component-settings.ts';
import { utcSeconds } from '../components/utc-seconds.ts';
import { wholeNumber } from '../components/whole-number.ts';
import { openRedis, type RedisConnection } from '../redis/open-redis.ts';
import { redisSettings } from '../redis/redis-settings.ts';
import { WRITE } from './redis-write.ts';
import {
  EtagMismatchError,
  InvalidEtagError,
  type StateItem,
  type StateOperation,
  type StateStore,
} from './state-store.ts';
import { integerFault, redisTtl } from './ttl.ts';
import { throwFailures } from './write-each.ts';

/**
 * As Dapr's store, which begins with more than its longest pause: what a demoted master refuses is asked three times
 * more in a second and a half, in which most are followed by another.
 */
const REFUSED_RETRY_MS = 2_000;

/**
 * `state.redis`: Dapr's hashes, so that both can share one Redis. The time an
 * item lives is Redis' own.
 *
 * @throws Error for a Redis that does not answer, or metadata that cannot be.
 */
export async function redisState(settings: ComponentSettings, clock: Clock): Promise<StateStore> {
  if (settings.text('queryIndexes') !== undefined) {
    throw new Error(
      `component ${settings.component}: metadata queryIndexes is not in this version, which cannot query a Redis; leave it out`,
    );
  }
  const given = settings.text('ttlInSeconds');
  const ttlSeconds = given === undefined ? undefined : wholeNumber(settings, 'ttlInSeconds', 0);
  const asked = { olderNames: true, refusedRetryMs: REFUSED_RETRY_MS };
  const redis = await openRedis(redisSettings(settings, asked), { what: 'redis store' });
  const inCluster = redis.settings.kind === 'cluster';

  /** Resolves with those that conflict. */
  const write = async (
    operations: readonly StateOperation[],
    atomic: boolean,
    signal: AbortSignal | undefined,
  ): Promise<readonly StateOperation[]> => {
    const args = operations.flatMap((operation) => argumentsOf(operation, ttlSeconds));
    const keys = operations.map(({ key }) => key);
    const refused = (await redis.run(
      (client) => client.eval(WRITE, keys.length, ...keys, atomic ? 1 : 0, ...args),
      signal,
    )) as readonly number[];
    return refused.map((at) => operations[at - 1]!);
  };
  const writeSome = async (
    operations: readonly StateOperation[],
    signal: AbortSignal | undefined,
  ): Promise<void> => {
    const failures = new Map<StateOperation, Error>();
    for (const operation of operations) {
      const error = etagFault(operation);
      if (error !== undefined) failures.set(operation, error);
    }
    const some = operations.filter((operation) => !failures.has(operation));
    // The keys of one step must be in one slot, and those of a client's list need not be.
    for (const step of inCluster ? some.map((one) => [one]) : [some]) {
      if (step.length === 0) continue;
      try {
        for (const refused of await write(step, false, signal))
          failures.set(refused, conflictOf(refused));
      } catch (error) {
        // Nobody waits for the rest of it either.
        if (signal?.aborted) throw error;
        for (const operation of step) failures.set(operation, failureOf(operation, error as Error));
      }
    }
    throwFailures(operations, failures);
  };
  return {
    capabilities: ['ETAG', 'TRANSACTIONAL', 'TTL', 'KEYS_LIKE'],
    readTtl: redisTtl,
    overlooksOptionsOf: ['transacted set', 'transacted delete'],
    get: (key, signal) => get(redis, key, clock, signal),
    async write(operations, atomic, signal) {
      if (!atomic) return await writeSome(operations, signal);
      for (const operation of operations) {
        const error = etagFault(operation);
        if (error !== undefined) throw error;
      }
      const [refused] = await write(operations, true, signal);
      if (refused !== undefined) throw conflictOf(refused);
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
  signal: AbortSignal | undefined,
): Promise<StateItem | undefined> {
  const answer = await redis.read(
    (client) =>
      Promise.all([client.hgetallBuffer(key), client.pttl(key)]).catch((error: Error) => {
        if (error.message.startsWith('WRONGTYPE')) return undefined;
        throw error;
      }),
    signal,
  );
  if (answer === undefined) return await plain(redis, key, signal);
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
async function plain(
  redis: RedisConnection,
  key: string,
  signal: AbortSignal | undefined,
): Promise<StateItem | undefined> {
  const value = await redis.read((client) => client.get(key), signal);
  return value === null ? undefined : { value, etag: '' };
}

function etagFault(operation: StateOperation): Error | undefined {
  const etag = etagOf(operation);
  if (operation.kind === 'delete' || etag === '') return undefined;
  const fault = integerFault(etag);
  return fault === undefined ? undefined : new InvalidEtagError(`strconv.Atoi: ${fault}`);
}

function conflictOf({ etag, key, kind }: StateOperation): EtagMismatchError {
  const failed = `failed to ${kind} key ${key}`;
  return new EtagMismatchError(etag === undefined ? `${failed}: it is there already` : failed);
}

/** In Dapr's words; of a deletion they are Redis' own. */
function failureOf({ key, kind }: StateOperation, cause: Error): Error {
  if (kind === 'delete') return cause;
  return new Error(`failed to set key ${key}: ${cause.message}`, { cause });
}

/** As in Dapr, 0, which no item ever has, and last-write are none. */
function etagOf(operation: StateOperation): string {
  const { etag = '' } = operation;
  if (operation.kind === 'delete') return etag === '0' ? '' : etag;
  return operation.lastWrite || /^[+-]?0+$/.test(etag) ? '' : etag;
}

function argumentsOf(operation: StateOperation, byDefault: number | undefined) {
  const { kind } = operation;
  const etag = etagOf(operation);
  if (kind === 'delete') return [kind, etag, 0, '', ''];
  const { firstWrite, ttlSeconds = byDefault, value } = operation;
  return [kind, etag, firstWrite ? 1 : 0, value, ttlSeconds ?? ''];
}
