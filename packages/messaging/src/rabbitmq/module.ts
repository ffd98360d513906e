/** What this adapter calls of `amqplib` (2.x); hand in the module itself. */
export interface AmqpModule {
  connect(url: string, options: AmqpSocketOptions): Promise<AmqpConnection>;
}

export interface AmqpSocketOptions {
  timeout: number;
  clientProperties: { connection_name: string };
  /** PEM. */
  ca?: string;
  cert?: string;
  key?: string;
  credentials?: AmqpCredentials;
}

/** A way to sign in other than with the URL's password. */
export interface AmqpCredentials {
  readonly mechanism: string;
  response(): Buffer;
}

export interface AmqpConnection {
  readonly connection: {
    readonly serverProperties: { readonly version?: string };
    /** The socket, which amqplib's types do not tell of. */
    readonly stream?: { destroy(error: Error): unknown };
  };
  createChannel(): Promise<AmqpChannel>;
  createConfirmChannel(): Promise<AmqpConfirmChannel>;
  close(): Promise<void>;
  on(event: 'close', listener: () => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
  on(event: 'blocked', listener: (reason: string) => void): unknown;
  on(event: 'unblocked', listener: () => void): unknown;
}

export interface AmqpChannel {
  assertExchange(
    name: string,
    type: ExchangeKind,
    options: { durable: boolean; autoDelete: boolean },
  ): Promise<unknown>;
  assertQueue(name: string, options: AmqpQueueOptions): Promise<unknown>;
  checkQueue(name: string): Promise<unknown>;
  bindQueue(queue: string, exchange: string, pattern: string): Promise<unknown>;
  prefetch(count: number): Promise<unknown>;
  consume(
    queue: string,
    deliver: (delivery: AmqpDelivery | null) => void,
  ): Promise<{ readonly consumerTag: string }>;
  cancel(consumerTag: string): Promise<unknown>;
  ack(delivery: AmqpDelivery): void;
  nack(delivery: AmqpDelivery, allUpTo: boolean, requeue: boolean): void;
  close(): Promise<void>;
  on(event: 'close', listener: () => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
}

export type ExchangeKind = 'fanout' | 'topic' | 'direct' | 'headers';

export interface AmqpConfirmChannel extends AmqpChannel {
  publish(
    exchange: string,
    routingKey: string,
    body: Buffer,
    options: AmqpPublishOptions,
    done: (error: unknown) => void,
  ): boolean;
  on(event: 'close', listener: () => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
  on(event: 'return', listener: (returned: AmqpDelivery) => void): unknown;
}

export interface AmqpQueueOptions {
  durable: boolean;
  autoDelete: boolean;
  arguments: Record<string, string | number | boolean>;
}

export interface AmqpPublishOptions {
  persistent: boolean;
  mandatory: boolean;
  messageId: string;
  headers: Record<string, string>;
  contentType?: string;
  correlationId?: string;
  type?: string;
  priority?: number;
  /** Milliseconds that it lives. */
  expiration?: string;
}

export interface AmqpDelivery {
  readonly content: Buffer;
  readonly properties: {
    readonly messageId?: unknown;
    readonly correlationId?: unknown;
    readonly contentType?: unknown;
    readonly type?: unknown;
    readonly headers?: Readonly<Record<string, unknown>> | undefined;
  };
}
