import { type Clock, systemClock } from '@holdfast/core';
import type { Cluster, Redis } from 'ioredis';
import { waitedFor } from '../components/waited-for.ts';
import { KEEP_ALIVE_MS } from '../flow/keep-alive.ts';
import { UnreachableError } from '../flow/unreachable-error.ts';
import { connection } from './connection.ts';
import {
  isConnectionLoss,
  isDemoted,
  isRefusedForNow,
  isUnanswered,
  redisWords,
} from './redis-failures.ts';
import type { RedisSettings } from './redis-settings.ts';
import { Renewal } from './renewal.ts';

/** A connection to a Redis, a cluster, or the master that sentinels name; kept up by itself. */
export interface RedisConnection {
  readonly settings: RedisSettings;
  readonly client: Redis | Cluster;
  /**
   * Sends what `work` sends. One that could not be sent since there was no
   * connection is tried again, `maxRetries` times, and so is one that Redis refused for the time being
   * (a replica, a master that is loading); one that may have been
   * executed is not. Rejects in the words of Dapr's driver; or, the moment `signal` aborts, with its
   * reason: nothing is sent from then on, and `late` has the answer to what was.
   */
  run<T>(
    work: (client: Redis | Cluster) => Promise<T>,
    signal?: AbortSignal,
    late?: (answer: T) => void,
  ): Promise<T>;
  /** As `run`, for what changes nothing: it is sent once more where its answer was lost. */
  read<T>(work: (client: Redis | Cluster) => Promise<T>, signal?: AbortSignal): Promise<T>;
  close(): void;
}

export interface RedisUse {
  /** What the address is the address of, at the head of an error: `redis store`. */
  readonly what: string;
  /** Longest wait for an answer; a connection that blocks on purpose has more. @default the settings' */
  readonly commandTimeoutMs?: number;
  /** @default systemClock */
  readonly clock?: Clock;
}

/** Connects. @throws Error, in Dapr's words, where nobody answers or the password is wrong. */
export async function openRedis(settings: RedisSettings, use: RedisUse): Promise<RedisConnection> {
  const { clock = systemClock } = use;
  const answerMs = use.commandTimeoutMs ?? settings.readTimeoutMs;
  const client = await makeClient(settings, answerMs);
  const renewal = new Renewal(() => client.disconnect(true), clock);
  let lastError: Error | undefined;
  let readies = 0;
  // Without a listener the driver writes its errors to the console.
  client.on('error', (error: Error) => {
    lastError = error;
  });
  client.on('ready', () => {
    readies += 1;
    lastError = undefined;
  });
  const words = (error: Error): Error => redisWords(error, lastError, settings.address, answerMs);
  const gather = gatherer(client);
  const attempt = async <T>(
    work: (client: Redis | Cluster) => Promise<T>,
    signal: AbortSignal | undefined,
    late: ((answer: T) => void) | undefined,
  ): Promise<T> => {
    if (signal === undefined) {
      gather();
      return await work(client);
    }
    await connection(client, signal);
    signal.throwIfAborted();
    gather();
    return await waitedFor(work(client), signal, late);
  };
  const send = async <T>(
    work: (client: Redis | Cluster) => Promise<T>,
    signal: AbortSignal | undefined,
    late: ((answer: T) => void) | undefined,
    mayRepeat: boolean,
  ): Promise<T> => {
    let repeatable = mayRepeat;
    for (let retries = 0; ; retries += 1) {
      signal?.throwIfAborted();
      const unsent = client.status !== 'ready';
      const before = readies;
      const leave = renewal.enter();
      let pauseMs: number;
      try {
        return await attempt(work, signal, late);
      } catch (caught) {
        const error = caught as Error;
        if (signal?.aborted) throw error;
        // In a cluster the driver follows the masters itself.
        if (settings.kind !== 'cluster' && isDemoted(error)) renewal.ask();
        if (retries >= settings.maxRetries) throw words(error);
        const lost = isConnectionLoss(error);
        // For a connection the driver waits.
        if (lost && unsent && readies === before) continue;
        if (isRefusedForNow(error)) {
          pauseMs = backOffMs(settings.refusedRetryMs, settings, retries);
        } else if (repeatable && (lost || isUnanswered(error))) {
          // A connection that keeps silent is given up in the same moment as the command.
          pauseMs = backOffMs(settings.minRetryMs, settings, retries);
          repeatable = false;
        } else throw words(error);
      } finally {
        leave();
      }
      await clock.sleep(pauseMs, signal);
    }
  };
  try {
    await client.connect();
    // The driver selects it too, and goes on in the first one where Redis has no such database.
    if (settings.db !== 0) await client.select(settings.db);
    await client.ping();
  } catch (error) {
    client.disconnect();
    const message = `${use.what}: error connecting to redis at ${settings.address}: ${words(error as Error).message}`;
    // Redis answered, and said no: time does not heal a wrong password.
    const answered = [error as Error, lastError].some((one) => one?.name === 'ReplyError');
    throw answered ? new Error(message) : new UnreachableError(message);
  }
  return {
    settings,
    client,
    run: (work, signal, late) => send(work, signal, late, false),
    read: (work, signal) => send(work, signal, undefined, true),
    close: () => client.disconnect(),
  };
}

/**
 * Has the commands of one turn of the event loop leave in one write: the write of each was a fifth of what a small
 * call of a store costs. Of a cluster, which has a connection to each node, they leave one by one.
 */
function gatherer(client: Redis | Cluster): () => void {
  let gathering: Redis['stream'] | undefined;
  return () => {
    const socket = 'stream' in client ? client.stream : undefined;
    if (socket === undefined || socket === gathering) return;
    gathering = socket;
    socket.cork();
    setImmediate(() => {
      gathering = undefined;
      socket.uncork();
    });
  };
}

const backOffMs = (firstMs: number, { maxRetryMs }: RedisSettings, retries: number): number =>
  Math.min(maxRetryMs, Math.max(1, firstMs) * 2 ** retries);

async function makeClient(settings: RedisSettings, answerMs: number): Promise<Redis | Cluster> {
  // CommonJS: its names are on `default` alone, once it is bundled.
  const {
    default: { Cluster, Redis },
  } = await import('ioredis');
  const { db, dialTimeoutMs, kind, masterName, nodes } = settings;
  const backOff = (times: number) => backOffMs(settings.minRetryMs, settings, times - 1);
  const options = {
    lazyConnect: true,
    db,
    ...(dialTimeoutMs > 0 ? { connectTimeout: dialTimeoutMs } : {}),
    ...(settings.username === undefined ? {} : { username: settings.username }),
    ...(settings.password === undefined ? {} : { password: settings.password }),
    ...(settings.tls === undefined ? {} : { tls: settings.tls }),
    // One that keeps silent may be dead, and nobody says so: what a firewall forgot stays open on both
    // sides. The next one need not be.
    ...(answerMs > 0 ? { commandTimeout: answerMs, socketTimeout: answerMs } : {}),
    // A command in flight when the connection goes fails at once: it may have been executed, and
    // sent again an etag would no longer match what it wrote itself. `run` knows which were not sent.
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    protocol: 2 as const,
    retryStrategy: backOff,
    keepAlive: KEEP_ALIVE_MS,
  };
  if (kind === 'cluster') {
    return new Cluster(
      nodes.map((node) => ({ ...node })),
      { lazyConnect: true, redisOptions: options, clusterRetryStrategy: backOff },
    );
  }
  if (kind === 'sentinel') {
    const { sentinelPassword, sentinelUsername } = settings;
    return new Redis({
      ...options,
      sentinels: nodes.map((node) => ({ ...node })),
      name: masterName!,
      ...(sentinelUsername === undefined ? {} : { sentinelUsername }),
      ...(sentinelPassword === undefined ? {} : { sentinelPassword }),
      ...(settings.tls === undefined
        ? {}
        : { enableTLSForSentinelMode: true, sentinelTLS: settings.tls }),
    });
  }
  return new Redis({ ...options, ...nodes[0]! });
}
