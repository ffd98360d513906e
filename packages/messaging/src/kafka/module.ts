/** What this adapter calls of `@platformatic/kafka` (2.x); hand in the module itself. */
export interface KafkaModule {
  Producer: new (options: KafkaProducerOptions) => KafkaProducer;
  Consumer: new (options: KafkaConsumerOptions) => KafkaConsumer;
  /** Asked how large a record may be, when one was too large. */
  Admin?: new (
    options: KafkaClientOptions,
  ) => KafkaAdmin;
  /** With `offsetFetchV8`: a count is kept beside a committed offset, which the consumer itself does not do. */
  offsetCommitV8?: { readonly api: { readonly async: CommitOffsets } };
  offsetFetchV8?: { readonly api: { readonly async: FetchOffsets } };
}

type CommitOffsets = (
  // biome-ignore lint/suspicious/noExplicitAny: a connection of the client's own, of which nothing is known here.
  connection: any,
  groupId: string,
  generation: number,
  memberId: string,
  groupInstanceId: null,
  topics: {
    name: string;
    partitions: {
      partitionIndex: number;
      committedOffset: bigint;
      committedLeaderEpoch: number;
      committedMetadata: string;
    }[];
  }[],
) => Promise<unknown>;

type FetchOffsets = (
  // biome-ignore lint/suspicious/noExplicitAny: as above.
  connection: any,
  groups: {
    groupId: string;
    memberId: null;
    memberEpoch: number;
    topics: { name: string; partitionIndexes: number[] }[];
  }[],
  requireStable: boolean,
) => Promise<{
  readonly groups: readonly {
    readonly topics: readonly { readonly partitions: readonly KafkaStart[] }[];
  }[];
}>;

/** Where a group stands in a partition. */
export interface KafkaStart {
  readonly partitionIndex: number;
  /** -1 where it has never been. */
  readonly committedOffset: bigint;
  readonly metadata?: string | null | undefined;
}

export interface KafkaAdmin {
  describeConfigs(options: {
    resources: { resourceType: 2; resourceName: string; configurationKeys: string[] }[];
  }): Promise<
    readonly { readonly configs: readonly { readonly name: string; readonly value?: unknown }[] }[]
  >;
  close(): Promise<void>;
}

export interface KafkaClientOptions {
  clientId: string;
  bootstrapBrokers: string[];
  connectTimeout: number;
  timeout: number;
  retries: number;
  retryDelay: number;
  autocreateTopics: boolean;
  tls?: KafkaTls;
  sasl?: KafkaClientSasl;
}

/** As Node's `tls.connect` takes them. */
export interface KafkaTls {
  /** In PEM. @default those of Node */
  readonly ca?: string;
  /** With `key`, shown to the broker. In PEM. */
  readonly cert?: string;
  readonly key?: string;
  /** @default true */
  readonly rejectUnauthorized?: boolean;
}

/** How a client signs in: with a password, or with a token. */
export type KafkaSasl = KafkaPassword | KafkaBearer;

export interface KafkaPassword {
  readonly mechanism: 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512';
  readonly username: string;
  readonly password: string;
}

export interface KafkaBearer {
  readonly mechanism: 'OAUTHBEARER';
  /**
   * Asked at each connection, and again before the broker ends it where `connections.max.reauth.ms`
   * says so: keep what is still good for a while.
   */
  readonly token: () => Promise<string>;
  /** Names and values that go with the token, such as `logicalCluster`. @default none */
  readonly extensions?: Readonly<Record<string, string>>;
}

/** As the client takes it; `kafkaBroker.sasl` is made into this. */
export type KafkaClientSasl =
  | KafkaPassword
  | {
      readonly mechanism: 'OAUTHBEARER';
      readonly token: () => Promise<string>;
      readonly oauthBearerExtensions: Record<string, string>;
      readonly authBytesValidator: (
        bytes: Buffer,
        done: (error: Error | null, bytes?: Buffer) => void,
      ) => void;
    };

export type KafkaCompression = 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd';

export interface KafkaProducerOptions extends KafkaClientOptions {
  idempotent: boolean;
  acks: number;
  compression?: KafkaCompression;
}

export interface KafkaConsumerOptions extends KafkaClientOptions {
  groupId: string;
  groupInstanceId?: string;
  protocols: { name: string; version: number }[];
  partitionAssigner: KafkaAssigner;
  /** Asked for before each (re)joining, which waits for it. */
  protocolsMetadata: () => Promise<Buffer>;
  autocommit: boolean;
  sessionTimeout: number;
  rebalanceTimeout: number;
  heartbeatInterval: number;
  maxWaitTime: number;
  minBytes?: number;
  maxBytesPerPartition?: number;
  highWaterMark: number;
  /** 0: all records; 1: of transactions those that were committed. */
  isolationLevel: number;
}

/** What the leader of a group decides: who reads which partitions. */
export type KafkaAssigner = (
  leader: string,
  members: ReadonlyMap<
    string,
    { readonly topics?: readonly string[]; readonly metadata?: Buffer | string | null | undefined }
  >,
  topicsOfTheLeader: ReadonlySet<string>,
  metadata: { readonly topics: ReadonlyMap<string, { readonly partitionsCount: number }> },
) => { memberId: string; assignments: Map<string, { topic: string; partitions: number[] }> }[];

export interface KafkaRecord {
  topic: string;
  /** Modulo the topic's partitions. @default murmur2 of the key, or one after the other */
  partition?: number;
  /** The partition is meant as it is: the topic must have it. */
  exact?: boolean;
  key?: Buffer;
  /** None is a tombstone. */
  value?: Buffer;
  headers: Map<Buffer, Buffer>;
}

export interface KafkaProducer {
  send(options: { messages: KafkaRecord[] }): Promise<unknown>;
  /** Kept for a while. */
  metadata(options: { topics: string[] }): Promise<{
    readonly topics: ReadonlyMap<string, { readonly partitionsCount: number }>;
  }>;
  close(force: boolean): Promise<void>;
}

export interface KafkaConsumer {
  /** Null before it has joined, and when the group has done without it. */
  readonly memberId: string | null;
  readonly groupId: string;
  readonly generationId: number;
  readonly coordinatorId: number | null;
  readonly currentMetadata:
    | { readonly brokers: { get(id: number): KafkaAddress | undefined } }
    | undefined;
  readonly connections: { get(broker: KafkaAddress): Promise<unknown> };
  consume(options: {
    topics: string[];
    mode: 'committed';
    fallbackMode: 'earliest' | 'latest';
    autocommit: boolean;
  }): Promise<KafkaStream>;
  readonly topics: { track(topic: string): boolean };
  /** Asked of the broker anew with `forceUpdate`, else kept for a while. */
  metadata(options: { topics: string[]; forceUpdate: boolean }): Promise<{
    readonly topics: ReadonlyMap<string, { readonly partitionsCount: number }>;
  }>;
  /** Resolves when it has its partitions of the topics tracked. */
  joinGroup(): Promise<unknown>;
  /** By topic and partition: where the next record will lie; with a `timestamp` of -2 where the first does. */
  listOffsets(options: {
    topics: string[];
    partitions: Record<string, number[]>;
    timestamp?: bigint;
  }): Promise<ReadonlyMap<string, readonly (bigint | undefined)[]>>;
  /** By topic and partition; -1 where the group has none. */
  listCommittedOffsets(options: {
    topics: { topic: string; partitions: number[] }[];
  }): Promise<ReadonlyMap<string, readonly (bigint | undefined)[]>>;
  commit(options: {
    offsets: { topic: string; partition: number; offset: bigint; leaderEpoch: number }[];
  }): Promise<void>;
  /** Of this member; null before it has joined. */
  readonly assignments:
    | readonly { readonly topic: string; readonly partitions: readonly number[] }[]
    | null;
  /** The group has been rebalanced; the stream then begins again behind the last commits. */
  on(event: 'consumer:group:join', listener: () => void): unknown;
  /** One is under way; its answer says that the group still counts on this member. */
  on(event: 'consumer:heartbeat:start' | 'consumer:heartbeat:end', listener: () => void): unknown;
  /** It could not join its group again, and does not try any more. */
  on(event: 'error', listener: (error: Error) => void): unknown;
  close(force: boolean): Promise<void>;
}

export interface KafkaAddress {
  readonly host: string;
  readonly port: number;
}

export interface KafkaStream extends AsyncIterable<KafkaMessage> {
  on(event: 'error', listener: (error: Error) => void): unknown;
  close(): Promise<void>;
}

export interface KafkaMessage {
  topic: string;
  partition: number;
  offset: bigint;
  /** Milliseconds since 1970. */
  timestamp: bigint;
  key: Buffer | null | undefined;
  value: Buffer | null | undefined;
  headers: Map<Buffer, Buffer>;
  leaderEpoch: number;
}
