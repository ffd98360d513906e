import { type Clock, systemClock } from '@holdfast/core';
import { checkInteger } from '../check.ts';
import type { RedisModule } from './module.ts';

/** Who must have a message before `publish` resolves. */
export type RedisDurability = 'memory' | 'aof' | { readonly replicas: number };

export interface RedisStreamsBrokerOptions {
  /** The module: `import * as redis from 'ioredis'`. */
  readonly redis: RedisModule;
  /**
   * `redis://user:password@127.0.0.1:6379/0`, `rediss://` for TLS. A function is asked whenever it
   * connects, so that a server which came back elsewhere is found.
   */
  readonly url?: string | (() => string | Promise<string>);
  /** The client's own options, in place of a URL or beside it: `{ sentinels, name }`, `tls`, `password`. @default none */
  readonly options?: Readonly<Record<string, unknown>>;
  /** Names this process's connections and consumers in the server's own lists. */
  readonly clientId: string;
  /** Stands before the topic in the name of its stream. @default 'holdfast:' */
  readonly keyPrefix?: string;
  /**
   * When a message counts as published. With `memory` it is as durable as `appendfsync` makes what
   * Redis acknowledges: `always` has it on disk, `everysec` may lose the last second of a machine
   * or a process, without an AOF all is lost with the process. `aof` waits until it is on the
   * server's disk (Redis 7.2, `WAITAOF`), `{ replicas: n }` until so many replicas have it in
   * memory (`WAIT`). Both cost a round trip, a flush or a replica's answer for each `publish`.
   *
   * @default 'memory'
   */
  readonly durability?: RedisDurability;
  /**
   * Entries of a stream. A publication beyond is postponed: nothing that a group has not
   * acknowledged is ever forgotten. What all groups have acknowledged makes room.
   *
   * @default 1_000_000 (0: as many as Redis has memory for … 2^53)
   */
  readonly maxLength?: number;
  /** A message whose body, headers, key and id are larger is rejected. @default 1_048_576 (1_024 … 536_870_912) */
  readonly maxMessageBytes?: number;
  /** Whether a new group begins with what the stream holds (`all`), or with what comes (`new`). @default 'all' */
  readonly deliverFrom?: 'all' | 'new';
  /**
   * What a killed or stopped member held goes to another after this; a member at work says three
   * times as often that it is. @default 10_000 ms (300 … 3_600_000)
   */
  readonly claimIdleMs?: number;
  /** Messages a member has taken and not acknowledged. @default 100 (1 … 10_000) */
  readonly prefetch?: number;
  /** How often a member takes off the stream what all groups have acknowledged. @default 5_000 ms (100 … 3_600_000) */
  readonly trimMs?: number;
  /** For a connection, and for all of one `publish`. @default 10_000 ms (100 … 600_000) */
  readonly timeoutMs?: number;
  /** Wait before a lost subscription connects again: the first, doubling up to ten times this. @default 500 ms (10 … 60_000) */
  readonly reconnectMs?: number;
  /** @default systemClock */
  readonly clock?: Clock;
}

export const REDIS_STREAMS_BROKER_DEFAULTS = {
  options: {},
  keyPrefix: 'holdfast:',
  durability: 'memory',
  maxLength: 1_000_000,
  maxMessageBytes: 1_048_576,
  deliverFrom: 'all',
  claimIdleMs: 10_000,
  prefetch: 100,
  trimMs: 5_000,
  timeoutMs: 10_000,
  reconnectMs: 500,
  clock: systemClock,
} as const;

export type ResolvedRedisStreamsOptions = RedisStreamsBrokerOptions &
  Required<Omit<RedisStreamsBrokerOptions, 'url'>>;

export function resolveRedisStreamsOptions(
  given: RedisStreamsBrokerOptions,
): ResolvedRedisStreamsOptions {
  const options: ResolvedRedisStreamsOptions = { ...REDIS_STREAMS_BROKER_DEFAULTS, ...given };
  const { deliverFrom, durability, url } = options;
  if (url === undefined && Object.keys(options.options).length === 0) {
    throw new TypeError(
      'redisStreamsBroker needs a url such as redis://127.0.0.1:6379, or options such as { sentinels, name }.',
    );
  }
  if (typeof url === 'string') checkUrl(url);
  if (options.clientId === '')
    throw new TypeError('redisStreamsBroker.clientId must not be empty.');
  if (options.keyPrefix.includes('{')) {
    throw new TypeError(
      `redisStreamsBroker.keyPrefix must be without {, which stands around the topic, not "${options.keyPrefix}".`,
    );
  }
  if (deliverFrom !== 'all' && deliverFrom !== 'new') {
    throw new RangeError(
      `redisStreamsBroker.deliverFrom must be all or new, not ${String(deliverFrom)}.`,
    );
  }
  checkDurability(durability);
  checkInteger('redisStreamsBroker.maxLength', options.maxLength, 0, Number.MAX_SAFE_INTEGER);
  checkInteger('redisStreamsBroker.maxMessageBytes', options.maxMessageBytes, 1_024, 536_870_912);
  checkInteger('redisStreamsBroker.claimIdleMs', options.claimIdleMs, 300, 3_600_000);
  checkInteger('redisStreamsBroker.prefetch', options.prefetch, 1, 10_000);
  checkInteger('redisStreamsBroker.trimMs', options.trimMs, 100, 3_600_000);
  checkInteger('redisStreamsBroker.timeoutMs', options.timeoutMs, 100, 600_000);
  checkInteger('redisStreamsBroker.reconnectMs', options.reconnectMs, 10, 60_000);
  return options;
}

/** @throws TypeError. The URL may hold a password: it is not repeated. */
export function checkUrl(url: string): void {
  if (URL.canParse(url) && /^rediss?:$/.test(new URL(url).protocol)) return;
  throw new TypeError('redisStreamsBroker.url must be a URL such as redis://127.0.0.1:6379.');
}

function checkDurability(durability: RedisDurability): void {
  if (typeof durability === 'object' && durability !== null) {
    checkInteger('redisStreamsBroker.durability.replicas', durability.replicas, 1, 100);
    return;
  }
  if (durability === 'memory' || durability === 'aof') return;
  throw new RangeError(
    `redisStreamsBroker.durability must be memory, aof or { replicas }, not ${String(durability)}.`,
  );
}
