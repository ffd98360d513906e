import type { ServerName } from './servers.ts';

/** A component that Dapr's suite is asked of, behind the API of a sidecar. */
export interface Component {
  readonly kind: 'bindings' | 'configuration' | 'lock' | 'pubsub' | 'secretstores' | 'state';
  /** As Dapr's list of its kind has it. */
  readonly name: string;
  /** For which of the servers in Dapr's list; they differ by nothing else. */
  readonly profile?: string;
  /** Of one that Dapr's list has otherwise, or has not: what is different. */
  readonly as?: string;
  readonly server?: ServerName;
  /** Beside Dapr's metadata, or instead of them; null takes one away. `secretKeyRef:NAME` is a variable's value. */
  readonly metadata?: Readonly<Record<string, string | null>>;
  /** Instead of what Dapr's list has it asked. */
  readonly operations?: readonly string[];
  readonly config?: Readonly<Record<string, unknown>>;
  /** Calls go through a time-out, retries and a circuit, events through the first two. */
  readonly policies?: boolean;
  /** Dapr has no such component, or such metadata. */
  readonly oursAlone?: boolean;
}

export const COMPONENTS: readonly Component[] = [
  { kind: 'state', name: 'in-memory' },
  { kind: 'state', name: 'sqlite' },
  {
    kind: 'state',
    name: 'sqlite',
    as: 'file',
    metadata: {
      connectionString: 'FOLDER/state.db',
      tableName: 'things',
      metadataTableName: 'about',
      cleanupInterval: '1s',
      disableWAL: 'true',
    },
  },
  {
    kind: 'state',
    name: 'sqlite',
    as: 'encrypted',
    metadata: { primaryEncryptionKey: 'secretKeyRef:STATE_KEY' },
  },
  { kind: 'state', name: 'sqlite', as: 'policies', policies: true },
  { kind: 'state', name: 'postgresql.v1.docker', server: 'postgres' },
  {
    kind: 'state',
    name: 'postgresql.v1.docker',
    as: 'tables',
    server: 'postgres',
    metadata: { tableName: 'public.things', metadataTableName: 'about', cleanupInterval: '1s' },
  },
  { kind: 'state', name: 'postgresql.v2.docker', server: 'postgres' },
  {
    kind: 'state',
    name: 'postgresql.v2.docker',
    as: 'simple',
    server: 'postgres',
    metadata: { tablePrefix: 'other_', queryExecMode: 'simple_protocol', keyPrefix: 'name' },
  },
  {
    kind: 'state',
    name: 'postgresql.v2.docker',
    as: 'encrypted',
    server: 'postgres',
    metadata: { tablePrefix: 'secret_', primaryEncryptionKey: 'secretKeyRef:STATE_KEY' },
  },
  { kind: 'state', name: 'redis.v7', server: 'redis' },
  {
    kind: 'state',
    name: 'redis.v7',
    as: 'prefix-none',
    server: 'redis',
    metadata: { keyPrefix: 'none', redisDB: '3', redisMaxRetries: '1', actorStateStore: 'true' },
  },
  { kind: 'state', name: 'redis.v7', as: 'policies', server: 'redis', policies: true },
  {
    kind: 'state',
    name: 'redis.v7',
    as: 'encrypted',
    server: 'redis',
    metadata: { primaryEncryptionKey: 'secretKeyRef:STATE_KEY' },
  },
  { kind: 'pubsub', name: 'in-memory' },
  { kind: 'pubsub', name: 'redis.v7', server: 'redis' },
  {
    kind: 'pubsub',
    name: 'redis.v7',
    as: 'parallel',
    server: 'redis',
    metadata: { consumerID: null, concurrency: '10', queueDepth: '2', maxLenApprox: '100' },
  },
  {
    kind: 'pubsub',
    name: 'redis.v7',
    as: 'policies',
    server: 'redis',
    policies: true,
    metadata: { consumerID: 'policies' },
    config: namedBy('policies', false),
  },
  {
    kind: 'pubsub',
    name: 'redis.v7',
    as: 'outbox',
    server: 'redis',
    oursAlone: true,
    metadata: { consumerID: 'outbox', outbox: 'true', outboxPath: 'FOLDER/outbox.db' },
    config: namedBy('outbox', false),
  },
  { kind: 'pubsub', name: 'kafka', profile: 'wurstmeister', server: 'kafka' },
  {
    kind: 'pubsub',
    name: 'kafka',
    profile: 'wurstmeister',
    as: 'policies',
    server: 'kafka',
    policies: true,
    metadata: { consumerGroup: 'policies' },
    config: { ...namedBy('policies', true), testTopicForBulkSub: 'policiesBulk' },
  },
  {
    kind: 'pubsub',
    name: 'kafka',
    profile: 'wurstmeister',
    as: 'outbox',
    server: 'kafka',
    oursAlone: true,
    metadata: { consumerGroup: 'outbox', outbox: 'true', outboxPath: 'FOLDER/outbox.db' },
    config: { ...namedBy('outbox', true), testTopicForBulkSub: 'outboxBulk' },
  },
  {
    kind: 'pubsub',
    name: 'kafka',
    profile: 'wurstmeister',
    as: 'retry',
    server: 'kafka',
    metadata: {
      consumerGroup: 'retrying',
      consumeRetryEnabled: 'true',
      consumeRetryInterval: '200ms',
      compression: 'gzip',
      version: '2.6.0',
    },
    config: {
      testTopicName: 'retryTopic',
      testTopicForBulkSub: 'retryBulk',
      testMultiTopic1Name: 'retryMulti1',
      testMultiTopic2Name: 'retryMulti2',
      publishMetadata: { partitionKey: 'one' },
    },
  },
  { kind: 'pubsub', name: 'rabbitmq', server: 'rabbitmq' },
  {
    kind: 'pubsub',
    name: 'rabbitmq',
    as: 'durable',
    server: 'rabbitmq',
    metadata: {
      consumerID: 'durable',
      durable: 'true',
      deliveryMode: '2',
      publisherConfirm: 'true',
      prefetchCount: '5',
      concurrency: 'parallel',
    },
    config: namedBy('durable', false),
  },
  {
    kind: 'pubsub',
    name: 'rabbitmq',
    as: 'routed',
    server: 'rabbitmq',
    metadata: { consumerID: 'routed', durable: 'true', exchangeKind: 'topic', maxLen: '100' },
    config: {
      ...namedBy('routed', false),
      publishMetadata: { routingKey: 'a.b', priority: '2', ttlInSeconds: '60' },
      subscribeMetadata: { routingKey: 'a.*,c', queueType: 'quorum' },
    },
  },
  {
    kind: 'pubsub',
    name: 'rabbitmq',
    as: 'outbox',
    server: 'rabbitmq',
    oursAlone: true,
    metadata: {
      consumerID: 'outbox',
      durable: 'true',
      outbox: 'true',
      outboxPath: 'FOLDER/outbox.db',
    },
    config: namedBy('outbox', false),
  },
  {
    kind: 'pubsub',
    name: 'sqlite',
    oursAlone: true,
    metadata: { connectionString: 'FOLDER/events.db', concurrency: '1' },
    operations: [],
  },
  { kind: 'pubsub', name: 'jetstream', server: 'nats' },
  {
    kind: 'pubsub',
    name: 'jetstream',
    as: 'acks-each',
    server: 'nats',
    metadata: {
      flowControl: null,
      heartbeat: null,
      ackPolicy: 'explicit',
      deliverPolicy: 'new',
      ackWait: '2s',
      memoryStorage: 'true',
      concurrency: 'parallel',
    },
    config: { checkInOrderProcessing: false },
  },
  { kind: 'pubsub', name: 'mqtt3', profile: 'emqx', server: 'mosquitto' },
  {
    kind: 'pubsub',
    name: 'mqtt3',
    profile: 'emqx',
    as: 'clean',
    server: 'mosquitto',
    metadata: { consumerID: 'clean', cleanSession: 'true', qos: '2' },
  },
  { kind: 'bindings', name: 'http' },
  { kind: 'bindings', name: 'cron' },
  { kind: 'bindings', name: 'kafka', profile: 'wurstmeister', server: 'kafka' },
  {
    kind: 'bindings',
    name: 'kafka',
    profile: 'wurstmeister',
    as: 'read',
    server: 'kafka',
    metadata: { topics: 'read-topic', publishTopic: 'read-topic', consumerGroup: 'readers' },
    operations: ['create', 'operations', 'read'],
    config: { readBindingWait: '10s' },
    policies: true,
  },
  { kind: 'bindings', name: 'redis.v7', server: 'redis' },
  {
    kind: 'bindings',
    name: 'redis.v7',
    as: 'get',
    server: 'redis',
    operations: ['create', 'operations', 'get', 'delete', 'increment'],
  },
  { kind: 'bindings', name: 'postgresql.docker', server: 'postgres' },
  {
    kind: 'bindings',
    name: 'localstorage',
    as: 'kept',
    metadata: { rootPath: 'FOLDER/files' },
    operations: ['create', 'operations', 'get'],
    config: { output: { fileName: 'kept.txt' } },
  },
  {
    kind: 'bindings',
    name: 'localstorage',
    as: 'folder',
    metadata: { rootPath: 'FOLDER/files' },
    operations: ['operations', 'list'],
  },
  {
    kind: 'bindings',
    name: 'localstorage',
    as: 'removed',
    metadata: { rootPath: 'FOLDER/files' },
    operations: ['create', 'operations', 'delete'],
    config: { output: { fileName: 'removed.txt' } },
  },
  { kind: 'lock', name: 'redis.v7', server: 'redis' },
  // Asked for all its keys, it gives those of others in its database too.
  { kind: 'configuration', name: 'redis.v7', server: 'redis', metadata: { redisDB: '5' } },
  { kind: 'configuration', name: 'postgresql.docker', server: 'postgres' },
  { kind: 'secretstores', name: 'local.env' },
  { kind: 'secretstores', name: 'local.file' },
  { kind: 'secretstores', name: 'local.file', as: 'many', metadata: { multiValued: 'true' } },
];

/** Topics of its own, for what is left in those of another. */
function namedBy(name: string, checkInOrderProcessing: boolean) {
  return {
    checkInOrderProcessing,
    testTopicName: `${name}Topic`,
    testMultiTopic1Name: `${name}Multi1`,
    testMultiTopic2Name: `${name}Multi2`,
  };
}

/** What it is called where it is told of. */
export function nameOf({ kind, name, as }: Component): string {
  return as === undefined ? `${kind}/${name}` : `${kind}/${name}/${as}`;
}
