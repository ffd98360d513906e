import { type Clock, systemClock } from '@holdfast/core';
import { checkInteger } from '../check.ts';
import { ASSIGNMENTS, type KafkaAssignment } from './assigners/assignment.ts';
import { checkSasl, clientSasl } from './client-sasl.ts';
import type { KafkaLayout } from './layout.ts';
import type {
  KafkaClientOptions,
  KafkaCompression,
  KafkaModule,
  KafkaSasl,
  KafkaTls,
} from './module.ts';
import { holdfastLayout } from './records.ts';

export interface KafkaBrokerOptions {
  /** The module: `import * as kafka from '@platformatic/kafka'`. */
  readonly kafka: KafkaModule;
  /**
   * Brokers to begin with: `['127.0.0.1:9092']`; they name the others. A function is asked whenever a
   * connection is begun anew: for a cluster that may come back under other addresses.
   */
  readonly bootstrap: readonly string[] | (() => readonly string[]);
  /** Names this process to the broker. */
  readonly clientId: string;
  /**
   * Names this process in its groups: restarted under the same name it goes on at once, without
   * waiting for the end of its predecessor's session. Two processes of one group need two names.
   *
   * @default clientId, with dashes for spaces
   */
  readonly memberName?: string;
  /**
   * Where a group begins that was never here: at the oldest record that is kept, or behind the
   * newest. Either way it has everything from then on.
   *
   * @default 'earliest'
   */
  readonly initialOffset?: 'earliest' | 'latest';
  /**
   * Which records of producers' transactions are handed over: those that were committed, where one that is still open
   * holds up its partition, or all of them, at once. Of several transactions of one producer that come in one fetch
   * and were undone, the client keeps back the last alone.
   *
   * @default 'committed'
   */
  readonly isolation?: KafkaIsolation;
  /** How messages become records, and back. @default holdfastLayout */
  readonly layout?: KafkaLayout;
  /** Larger bodies are rejected before they are sent. @default the broker decides */
  readonly maxMessageBytes?: number;
  /** Of what is published; whatever comes is understood. @default 'none' */
  readonly compression?: KafkaCompression;
  /** A fetch waits for so many bytes, half a second at most. @default 1 */
  readonly fetchMinBytes?: number;
  /** Asked of a partition at a time; a larger record comes all the same. @default the client decides */
  readonly fetchPartitionBytes?: number;
  /** How often a member says that it is there; less than a third of the session. @default a fifth of `sessionTimeoutMs` */
  readonly heartbeatMs?: number;
  /**
   * How a group shares its partitions: neighbours of each topic, one by one, or as they were. All of
   * its members, of whatever make, must say the same.
   *
   * @default 'range'
   */
  readonly assignment?: KafkaAssignment;
  /** @default a connection in the clear */
  readonly tls?: KafkaTls;
  /** @default nobody signs in */
  readonly sasl?: KafkaSasl;
  /** For one `publish`, retries of the client included. @default 10_000 ms (100 … 600_000) */
  readonly timeoutMs?: number;
  /**
   * How long `publish` tries a topic that is not there, with `autocreateTopics`: a broker with much to do takes a while to make
   * one. A topic that it may not make holds up its caller for so long. @default 0 ms (0 … 60_000)
   */
  readonly newTopicMs?: number;
  /** A member that is silent for so long has lost its partitions. @default 10_000 ms (6_000 … 1_800_000) */
  readonly sessionTimeoutMs?: number;
  /**
   * How often a member looks whether its topic has been given more partitions. What lies there before it looks is
   * read from its beginning, whatever `initialOffset` says.
   *
   * @default 60_000 ms (1_000 … 3_600_000)
   */
  readonly partitionsMs?: number;
  /** Wait before a lost subscription consumes again: the first, doubling up to ten times this. @default 500 ms */
  readonly reconnectMs?: number;
  /** Whether the broker may make topics it does not know. @default true */
  readonly autocreateTopics?: boolean;
  /** @default systemClock */
  readonly clock?: Clock;
}

export type KafkaIsolation = 'committed' | 'uncommitted';

/** As Kafka numbers them in a fetch. */
export const ISOLATION_LEVELS: Readonly<Record<KafkaIsolation, number>> = {
  uncommitted: 0,
  committed: 1,
};

const COMPRESSIONS: readonly string[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd'];

export const KAFKA_BROKER_DEFAULTS = {
  timeoutMs: 10_000,
  sessionTimeoutMs: 10_000,
  newTopicMs: 0,
  partitionsMs: 60_000,
  reconnectMs: 500,
  autocreateTopics: true,
  initialOffset: 'earliest',
  isolation: 'committed',
  assignment: 'range',
  layout: holdfastLayout,
  clock: systemClock,
} as const;

export type ResolvedKafkaOptions = KafkaBrokerOptions &
  Required<
    Pick<
      KafkaBrokerOptions,
      keyof typeof KAFKA_BROKER_DEFAULTS | 'kafka' | 'bootstrap' | 'clientId' | 'memberName'
    >
  >;

export function resolveKafkaOptions(given: KafkaBrokerOptions): ResolvedKafkaOptions {
  const memberName = given.clientId.trim().replaceAll(/\s+/g, '-');
  const options = { memberName, ...KAFKA_BROKER_DEFAULTS, ...given };
  if (typeof options.bootstrap !== 'function') checkBootstrap(options.bootstrap);
  if (options.clientId.trim() === '')
    throw new TypeError('kafkaBroker.clientId must not be empty.');
  if (!/^\S+$/.test(options.memberName)) {
    throw new TypeError(
      `kafkaBroker.memberName must be text without spaces, not "${options.memberName}".`,
    );
  }
  if (options.initialOffset !== 'earliest' && options.initialOffset !== 'latest') {
    throw new TypeError(
      `kafkaBroker.initialOffset must be earliest or latest, not "${options.initialOffset}".`,
    );
  }
  if (!Object.hasOwn(ISOLATION_LEVELS, options.isolation)) {
    throw new RangeError(
      `kafkaBroker.isolation must be committed or uncommitted, not ${String(options.isolation)}.`,
    );
  }
  if (!Object.hasOwn(ASSIGNMENTS, options.assignment)) {
    throw new RangeError(
      `kafkaBroker.assignment must be ${Object.keys(ASSIGNMENTS).join(', ')}, not ${String(options.assignment)}.`,
    );
  }
  if (options.maxMessageBytes !== undefined) {
    checkInteger('kafkaBroker.maxMessageBytes', options.maxMessageBytes, 1, 2 ** 31 - 1);
  }
  const { compression = 'none', fetchMinBytes = 1, fetchPartitionBytes = 1 } = options;
  if (!COMPRESSIONS.includes(compression)) {
    throw new RangeError(
      `kafkaBroker.compression must be ${COMPRESSIONS.join(', ')}, not ${String(compression)}.`,
    );
  }
  checkInteger('kafkaBroker.fetchMinBytes', fetchMinBytes, 1, 2 ** 31 - 1);
  checkInteger('kafkaBroker.fetchPartitionBytes', fetchPartitionBytes, 1, 2 ** 31 - 1);
  if (options.heartbeatMs !== undefined) {
    const most = Math.floor(options.sessionTimeoutMs / 3);
    checkInteger('kafkaBroker.heartbeatMs', options.heartbeatMs, 100, most);
  }
  if (options.sasl !== undefined) checkSasl(options.sasl);
  checkInteger('kafkaBroker.timeoutMs', options.timeoutMs, 100, 600_000);
  checkInteger('kafkaBroker.sessionTimeoutMs', options.sessionTimeoutMs, 6_000, 1_800_000);
  checkInteger('kafkaBroker.newTopicMs', options.newTopicMs, 0, 60_000);
  checkInteger('kafkaBroker.partitionsMs', options.partitionsMs, 1_000, 3_600_000);
  checkInteger('kafkaBroker.reconnectMs', options.reconnectMs, 1, 60_000);
  return options;
}

/** Throws where there is none that could be connected to. */
function checkBootstrap(brokers: readonly string[]): void {
  if (brokers.length > 0 && brokers.every((each) => /:\d+$/.test(each))) return;
  throw new TypeError(
    `kafkaBroker.bootstrap must name at least one host:port, not "${brokers.join(', ')}".`,
  );
}

/** Brokers to begin with now. */
function bootstrapOf({ bootstrap }: ResolvedKafkaOptions): readonly string[] {
  if (typeof bootstrap !== 'function') return bootstrap;
  const brokers = bootstrap();
  checkBootstrap(brokers);
  return brokers;
}

/** What every client of this adapter has in common. */
export function clientOptions(options: ResolvedKafkaOptions): KafkaClientOptions {
  const { sasl, tls } = options;
  return {
    clientId: options.clientId,
    bootstrapBrokers: [...bootstrapOf(options)],
    connectTimeout: Math.min(2_000, options.timeoutMs),
    timeout: Math.min(5_000, options.timeoutMs),
    // The relay retries, with a circuit; the client only bridges a leader that has just moved.
    retries: 2,
    retryDelay: 200,
    autocreateTopics: options.autocreateTopics,
    ...(tls === undefined ? {} : { tls }),
    ...(sasl === undefined ? {} : { sasl: clientSasl(sasl) }),
  };
}
