/** What this adapter calls of `@platformatic/kafka` (2.x); hand in the module itself. */
export interface KafkaModule {
  Producer: new (options: KafkaProducerOptions) => KafkaProducer;
  Consumer: new (options: KafkaConsumerOptions) => KafkaConsumer;
}

export interface KafkaClientOptions {
  clientId: string;
  bootstrapBrokers: string[];
  connectTimeout: number;
  timeout: number;
  retries: number;
  retryDelay: number;
  autocreateTopics: boolean;
}

export interface KafkaProducerOptions extends KafkaClientOptions {
  idempotent: boolean;
  acks: number;
}

export interface KafkaConsumerOptions extends KafkaClientOptions {
  groupId: string;
  groupInstanceId: string;
  autocommit: boolean;
  sessionTimeout: number;
  rebalanceTimeout: number;
  heartbeatInterval: number;
  maxWaitTime: number;
  highWaterMark: number;
}

export interface KafkaRecord {
  topic: string;
  key?: Buffer;
  value: Buffer;
  headers: Map<Buffer, Buffer>;
}

export interface KafkaProducer {
  send(options: { messages: KafkaRecord[] }): Promise<unknown>;
  close(force: boolean): Promise<void>;
}

export interface KafkaConsumer {
  consume(options: {
    topics: string[];
    mode: 'committed';
    fallbackMode: 'earliest';
    autocommit: boolean;
  }): Promise<KafkaStream>;
  /** Of this member; null before it has joined. */
  readonly assignments:
    | readonly { readonly topic: string; readonly partitions: readonly number[] }[]
    | null;
  /** The group has been rebalanced; the stream then begins again behind the last commits. */
  on(event: 'consumer:group:join', listener: () => void): unknown;
  close(force: boolean): Promise<void>;
}

export interface KafkaStream extends AsyncIterable<KafkaMessage> {
  on(event: 'error', listener: (error: Error) => void): unknown;
  close(): Promise<void>;
}

export interface KafkaMessage {
  topic: string;
  partition: number;
  offset: bigint;
  key: Buffer | null | undefined;
  value: Buffer | null | undefined;
  headers: Map<Buffer, Buffer>;
  commit(): void | Promise<void>;
}
