import type { Cluster, Redis } from 'ioredis';
import { waitedFor } from '../components/waited-for.ts';
import { connectFailure } from '../flow/go-words.ts';
import { UnreachableError } from '../flow/unreachable-error.ts';
import { connection } from './connection.ts';
import type { RedisSettings } from './redis-settings.ts';

/** A connection to a Redis, a cluster, or the master that sentinels name; kept up by itself. */
export interface RedisConnection {
  readonly settings: RedisSettings;
  readonly client: Redis | Cluster;
  /**
   * Sends what `work` sends. One that could not be sent since there was no
   * connection is tried again, `maxRetries` times; one that may have been
   * executed is not. Rejects in the words of Dapr's driver; or, the moment `signal` aborts, with its
   * reason: nothing is sent from then on, and `late` has the answer to what was.
   */
  run<T>(
    work: (client: Redis | Cluster) => Promise<T>,
    signal?: AbortSignal,
    late?: (answer: T) => void,
  ): Promise<T>;
  close(): void;
}

export interface RedisUse {
  /** What the address is the address of, at the head of an error: `redis store`. */
  readonly what: string;
  /** Longest wait for an answer; a connection that blocks on purpose has more. @default the settings' */
  readonly commandTimeoutMs?: number;
}

/** Connects. @throws Error, in Dapr's words, where nobody answers or the password is wrong. */
export async function openRedis(settings: RedisSettings, use: RedisUse): Promise<RedisConnection> {
  const client = await makeClient(settings, use.commandTimeoutMs ?? settings.readTimeoutMs);
  let lastError: (Error & { code?: string }) | undefined;
  let readies = 0;
  // Without a listener the driver writes its errors to the console.
  client.on('error', (error: Error) => {
    lastError = error;
  });
  client.on('ready', () => {
    readies += 1;
    lastError = undefined;
  });
  const words = (error: Error): Error => {
    if (!isConnectionLoss(error)) return error;
    return new Error(lossWords(lastError, settings.address), { cause: error });
  };
  const run: RedisConnection['run'] = async (work, signal, late) => {
    for (let retries = 0; ; retries += 1) {
      signal?.throwIfAborted();
      const unsent = client.status !== 'ready';
      const before = readies;
      try {
        if (signal === undefined) return await work(client);
        await connection(client, signal);
        signal.throwIfAborted();
        return await waitedFor(work(client), signal, late);
      } catch (error) {
        if (signal?.aborted) throw error;
        const mayRun = !unsent || readies !== before || !isConnectionLoss(error as Error);
        if (mayRun || retries >= settings.maxRetries) throw words(error as Error);
      }
    }
  };
  try {
    await client.connect();
    // The driver selects it too, and goes on in the first one where Redis has no such database.
    if (settings.db !== 0) await client.select(settings.db);
    await client.ping();
  } catch (error) {
    client.disconnect();
    const said = isConnectionLoss(error as Error)
      ? words(error as Error)
      : goWords(error, settings);
    const message = `${use.what}: error connecting to redis at ${settings.address}: ${said.message}`;
    // Redis answered, and said no: time does not heal a wrong password.
    const answered = [error as Error, lastError].some((one) => one?.name === 'ReplyError');
    throw answered ? new Error(message) : new UnreachableError(message);
  }
  return { settings, client, run, close: () => client.disconnect() };
}

function goWords(error: unknown, { address }: RedisSettings): Error {
  const failure = error as Error & { code?: string };
  return failure.code === undefined ? failure : new Error(connectFailure(failure, address));
}

/** Why there is no connection: what the system said, or Redis before it hung up (a wrong password). */
function lossWords(why: (Error & { code?: string }) | undefined, address: string): string {
  if (why?.code !== undefined) return connectFailure(why, address);
  return why?.name === 'ReplyError' ? why.message : 'EOF';
}

/** The driver's ways to say that a command got no answer since the connection went or never came. */
function isConnectionLoss(error: Error): boolean {
  return (
    error.name === 'MaxRetriesPerRequestError' ||
    error.name === 'ClusterAllFailedError' ||
    /^(?:Connection is closed|Stream isn't writeable)/.test(error.message)
  );
}

async function makeClient(
  settings: RedisSettings,
  commandTimeoutMs: number,
): Promise<Redis | Cluster> {
  // CommonJS: its names are on `default` alone, once it is bundled.
  const {
    default: { Cluster, Redis },
  } = await import('ioredis');
  const { db, dialTimeoutMs, kind, masterName, maxRetryMs, minRetryMs, nodes } = settings;
  const backOff = (times: number) =>
    Math.min(maxRetryMs, Math.max(1, minRetryMs) * 2 ** (times - 1));
  const options = {
    lazyConnect: true,
    db,
    ...(dialTimeoutMs > 0 ? { connectTimeout: dialTimeoutMs } : {}),
    ...(settings.username === undefined ? {} : { username: settings.username }),
    ...(settings.password === undefined ? {} : { password: settings.password }),
    ...(settings.tls === undefined ? {} : { tls: settings.tls }),
    ...(commandTimeoutMs > 0 ? { commandTimeout: commandTimeoutMs } : {}),
    // A command in flight when the connection goes fails at once: it may have been executed, and
    // sent again an etag would no longer match what it wrote itself. `run` knows which were not sent.
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    protocol: 2 as const,
    retryStrategy: backOff,
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
