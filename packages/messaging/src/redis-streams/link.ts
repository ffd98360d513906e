import type { RedisArgument, RedisClient, RedisClientOptions } from './module.ts';
import { checkUrl, type ResolvedRedisStreamsOptions } from './options.ts';
import { replyCode } from './refusals.ts';
import type { Script } from './scripts.ts';

/** A connection to Redis, from its first use to its first trouble: it does not come back by itself. */
export interface Link {
  /** Aborted, with the reason, when the connection is gone. */
  readonly gone: AbortSignal;
  /** Rejects with what Redis answered, or when it does not answer within `limitMs`: then the link is dropped. */
  send(command: string, args: RedisArgument[], limitMs?: number): Promise<unknown>;
  run(script: Script, keys: string[], args: RedisArgument[]): Promise<unknown>;
  /** What Redis's clock will show at that moment of ours, or a little less. */
  serverMs(nowMs: number): number;
  /** How long an argument may be (`proto-max-bulk-len`); undefined where its user may not know. */
  readonly maxArgumentBytes: number | undefined;
  drop(reason: unknown): void;
}

/** Connects. Rejects within `timeoutMs`, with the reason. */
export async function openLink(options: ResolvedRedisStreamsOptions, what: string): Promise<Link> {
  const { clock, timeoutMs } = options;
  const client = await makeClient(options, what);
  const gone = new AbortController();
  let said: Error | undefined;
  const drop = (reason: unknown) => {
    if (gone.signal.aborted) return;
    gone.abort(reason);
    client.disconnect();
  };
  // Without a listener the client writes its errors to the console.
  client.on('error', (error) => {
    said = error;
  });
  client.on('close', () => drop(said ?? new Error('it closed the connection')));

  /** Ends with `work`, or with the link when that takes too long. */
  const within = <T>(work: Promise<T>, limitMs: number): Promise<T> =>
    new Promise((resolve, reject) => {
      const timer = clock.timer(limitMs, () => {
        const late = new Error(`it did not answer within ${limitMs} ms`);
        drop(late);
        reject(late);
      });
      work.then(resolve, (error: unknown) => {
        // Where the link is gone the client's own words are that the connection is closed.
        const own = replyCode(error) === undefined && gone.signal.aborted;
        reject(own ? gone.signal.reason : error);
      });
      work.then(
        () => timer.cancel(),
        () => timer.cancel(),
      );
    });

  const send: Link['send'] = (command, args, limitMs = timeoutMs) =>
    within(client.callBuffer(command, args), limitMs);

  const run: Link['run'] = async ({ sha, text }, keys, args) => {
    const rest = [keys.length, ...keys, ...args];
    try {
      return await send('EVALSHA', [sha, ...rest]);
    } catch (error) {
      if (replyCode(error) !== 'NOSCRIPT') throw error;
      return send('EVAL', [text, ...rest]);
    }
  };

  try {
    await within(client.connect(), timeoutMs);
    const time = (await send('TIME', [])) as readonly [Buffer, Buffer];
    // Asked after the answer came: what Redis shows later is never less than this says.
    const aheadMs = Number(time[0]) * 1_000 + Number(time[1]) / 1_000 - clock.now();
    await checkVersion(send, options);
    const maxArgumentBytes = await argumentLimit(send);
    const serverMs: Link['serverMs'] = (nowMs) => nowMs + aheadMs;
    return { gone: gone.signal, send, run, drop, serverMs, maxArgumentBytes };
  } catch (error) {
    drop(error);
    // A wrong password is said once, and every command after it is only told to sign in.
    throw said ?? error;
  }
}

async function makeClient(
  { clientId, options, redis, timeoutMs, url }: ResolvedRedisStreamsOptions,
  what: string,
): Promise<RedisClient> {
  const all: RedisClientOptions = {
    ...options,
    lazyConnect: true,
    // A name of a connection has no spaces.
    connectionName: `${clientId}/${what}`.replace(/[^!-~]/g, '_'),
    connectTimeout: timeoutMs,
    disconnectTimeout: 100,
    // What it was given before it was there, or had no answer to when it went, is not sent later.
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
    sentinelRetryStrategy: () => null,
    // A server that is loading says so, which is a reason; waiting for it is not.
    enableReadyCheck: false,
    protocol: 2,
  };
  if (url === undefined) return new redis.Redis(all);
  const place = typeof url === 'string' ? url : await url();
  checkUrl(place);
  return new redis.Redis(place, all);
}

/** What an operator must change is said before anything is sent. */
async function checkVersion(
  send: Link['send'],
  { durability }: ResolvedRedisStreamsOptions,
): Promise<void> {
  if (durability !== 'aof') return;
  const info = String(await send('INFO', ['server']));
  const [, version = '?', major, minor] = /redis_version:((\d+)\.(\d+)\S*)/.exec(info) ?? [];
  if (Number(major) > 7 || (Number(major) === 7 && Number(minor) >= 2)) return;
  throw new Error(
    `durability "aof" needs WAITAOF, which Redis has since 7.2, and this is ${version}; ` +
      'let it run with appendfsync always and use "memory"',
  );
}

/**
 * Asked for beforehand: Redis answers an argument that is too long in the middle of it and closes the
 * connection, and whoever is still writing may see only that.
 */
async function argumentLimit(send: Link['send']): Promise<number | undefined> {
  try {
    const [, limit] = (await send('CONFIG', ['GET', 'proto-max-bulk-len'])) as readonly Buffer[];
    return Number(limit?.toString()) || undefined;
  } catch (error) {
    // A user without CONFIG, or a host that has none.
    if (replyCode(error) !== undefined) return undefined;
    throw error;
  }
}

/** Host and port, for messages: without the password. */
export function placeOf({ options, url }: ResolvedRedisStreamsOptions): string {
  if (typeof url === 'string') return `Redis at ${new URL(url).host}`;
  const { host, name, port, sentinels } = options;
  if (sentinels !== undefined) return `Redis "${String(name)}"`;
  return host === undefined && port === undefined
    ? 'Redis'
    : `Redis at ${String(host ?? '127.0.0.1')}:${String(port ?? 6379)}`;
}
