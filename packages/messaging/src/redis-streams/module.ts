/** What this adapter calls of `ioredis` (5.x, 6.x); hand in the module itself. */
export interface RedisModule {
  readonly Redis: {
    new (url: string, options: RedisClientOptions): RedisClient;
    new (options: RedisClientOptions): RedisClient;
  };
}

/** What we set; the rest of the client's options are yours. */
export interface RedisClientOptions {
  lazyConnect?: boolean;
  connectionName?: string;
  connectTimeout?: number;
  disconnectTimeout?: number;
  enableOfflineQueue?: boolean;
  enableReadyCheck?: boolean;
  autoResendUnfulfilledCommands?: boolean;
  maxRetriesPerRequest?: number;
  retryStrategy?: () => null;
  sentinelRetryStrategy?: () => null;
  /** Since 6.0: how answers look. */
  protocol?: 2;
}

export type RedisArgument = string | number | Buffer;

export interface RedisClient {
  connect(): Promise<void>;
  disconnect(): void;
  callBuffer(command: string, args: RedisArgument[]): Promise<unknown>;
  on(event: 'close', listener: () => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
}
