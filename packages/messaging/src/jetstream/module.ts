/** What this adapter calls of `@nats-io/transport-node` (3.x); hand in the module itself. */
export interface NatsModule {
  connect(options: NatsConnectOptions): Promise<NatsConnection>;
  headers(): NatsHeaders;
}

/** What this adapter calls of `@nats-io/jetstream` (3.x); hand in the module itself. */
export interface JetStreamModule {
  jetstreamManager(
    connection: NatsConnection,
    options: JetStreamApiOptions,
  ): Promise<JetStreamManager>;
}

export interface NatsConnectOptions {
  servers: string[];
  name: string;
  timeout: number;
  reconnect: boolean;
  pingInterval: number;
  maxPingOut: number;
  user?: string;
  pass?: string;
  token?: string;
  tls?: object;
}

export interface NatsConnection {
  readonly info?: { readonly max_payload: number } | undefined;
  /** Resolves when it is over, with the reason where it was not our wish. */
  closed(): Promise<unknown>;
  close(): Promise<void>;
  flush(): Promise<void>;
}

export interface NatsHeaders extends Iterable<[string, string[]]> {
  set(name: string, value: string): void;
}

export interface JetStreamApiOptions {
  timeout: number;
  checkAPI: boolean;
  domain?: string;
  apiPrefix?: string;
}

export interface JetStreamManager {
  readonly streams: {
    info(stream: string): Promise<{ readonly config?: { readonly max_msg_size?: number } }>;
    add(config: JetStreamStreamConfig): Promise<unknown>;
    /** Null where it is not there any more. */
    getMessage(stream: string, query: { seq: number }): Promise<{ subject: string } | null>;
  };
  readonly consumers: {
    info(stream: string, name: string): Promise<JetStreamConsumerInfo>;
    add(stream: string, config: JetStreamConsumerConfig): Promise<JetStreamConsumerInfo>;
  };
  jetstream(): JetStreamClient;
}

export interface JetStreamClient {
  publish(
    subject: string,
    body: Uint8Array,
    options?: { msgID?: string; headers?: NatsHeaders; timeout?: number },
  ): Promise<JetStreamPubAck>;
  readonly consumers: { get(stream: string, name: string): Promise<JetStreamConsumer> };
}

export interface JetStreamPubAck {
  readonly stream: string;
  readonly seq: number;
  readonly duplicate: boolean;
}

export interface JetStreamStreamConfig {
  name: string;
  subjects: string[];
  storage: 'file';
  retention: 'limits';
  /** What is new is refused when it is full; what is old is not thrown away for it. */
  discard: 'new';
  num_replicas: number;
  /** In nanoseconds, as all times of JetStream; 0: for ever. */
  max_age: number;
  /** -1: as the server allows. */
  max_bytes: number;
  duplicate_window: number;
}

export interface JetStreamConsumerConfig {
  durable_name: string;
  filter_subject: string;
  deliver_policy: 'all' | 'new';
  ack_policy: 'explicit';
  ack_wait: number;
  max_ack_pending: number;
  max_deliver: number;
}

export interface JetStreamConsumerInfo {
  readonly config: {
    readonly filter_subject?: string;
    readonly max_ack_pending?: number;
    readonly deliver_subject?: string;
    readonly ack_wait?: number;
  };
}

export interface JetStreamConsumer {
  fetch(options: { max_messages: number; expires: number }): Promise<JetStreamBatch>;
}

export interface JetStreamBatch extends AsyncIterable<JetStreamMessage> {
  stop(error?: Error): void;
}

export interface JetStreamMessage {
  readonly subject: string;
  readonly data: Uint8Array;
  readonly headers?: Iterable<[string, string[]]> | undefined;
  readonly info: {
    readonly stream: string;
    readonly streamSequence: number;
    /** 1 the first time. */
    readonly deliveryCount: number;
    /** So many wait behind it. */
    readonly pending: number;
  };
  ack(): void;
  /** It comes again, at once or after so many milliseconds. */
  nak(delayMs?: number): void;
  /** It is still in hand: the server waits anew. */
  working(): void;
}
