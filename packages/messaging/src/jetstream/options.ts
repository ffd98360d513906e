import { type Clock, systemClock } from '@holdfast/core';
import { checkInteger } from '../check.ts';
import type { JetStreamModule, NatsConnectOptions, NatsModule } from './module.ts';
import { nameProblem, topicProblem } from './names.ts';

export interface JetStreamBrokerOptions {
  /** The module: `import * as nats from '@nats-io/transport-node'`. */
  readonly nats: NatsModule;
  /** The module: `import * as jetstream from '@nats-io/jetstream'`. */
  readonly jetstream: JetStreamModule;
  /** Servers of one cluster: `['nats://user:password@127.0.0.1:4222']`; `tls://` for TLS. */
  readonly servers: readonly string[];
  /** Names this process's connections in the server's own lists. */
  readonly clientId: string;
  /** The stream that keeps the messages; groups find theirs in it. @default 'holdfast' */
  readonly stream?: string;
  /** Stands before the topic in a subject; `''` for none, where the stream is somebody else's. @default the stream's name and a dot */
  readonly subjectPrefix?: string;
  /**
   * Whether a stream that is not there is made, on disk, for all subjects with the prefix. One that
   * is there is used as it is. `false` leaves that to an operator. @default true
   */
  readonly createStream?: boolean;
  /** Servers that keep each message of a stream that is made here. @default 1 (1 … 5) */
  readonly replicas?: number;
  /** A stream made here forgets what is older, handled or not. @default 604_800_000 ms, 7 days (0: never … 10 years) */
  readonly maxAgeMs?: number;
  /** A stream made here refuses what would make it larger. @default 0, as much as the server allows (… 2^53) */
  readonly maxBytes?: number;
  /** In a stream made here: for so long a message sent again is known by its id. @default 120_000 ms (100 … maxAgeMs) */
  readonly duplicateWindowMs?: number;
  /**
   * What a message is known by within that window. `id`: `Nats-Msg-Id` is the id and nothing else, for
   * readers that look at it; a message whose id another topic has had is then sent in a second round
   * trip, and may come behind others of its call. @default 'topic and id'
   */
  readonly duplicatesBy?: 'topic and id' | 'id';
  /**
   * Whether a new group begins with what the stream holds (`all`), or with what comes (`new`).
   *
   * @default 'all'
   */
  readonly deliverFrom?: 'all' | 'new';
  /** What a killed or stopped member held goes to another after this. @default 10_000 ms (1_000 … 3_600_000) */
  readonly ackWaitMs?: number;
  /** Messages a member has been sent and not acknowledged. @default 100 (1 … 10_000) */
  readonly prefetch?: number;
  /**
   * The same for all members of a group together. Counts where `concurrency` is above 1; else it is
   * one, which keeps the order over all members and costs a round trip per message.
   *
   * @default 1_000 (1 … 1_000_000)
   */
  readonly maxAckPending?: number;
  /** For a connection, a request, and all acknowledgements of one `publish`. @default 10_000 ms (100 … 600_000) */
  readonly timeoutMs?: number;
  /** Wait before a lost subscription connects again: the first, doubling up to ten times this. @default 500 ms (10 … 60_000) */
  readonly reconnectMs?: number;
  /** More of the client's own options: `authenticator`, `token`, `tls`. @default none */
  readonly connection?: Readonly<Record<string, unknown>>;
  /** Where JetStream itself is, in a leaf node or another account. @default the server's own */
  readonly domain?: string;
  /** As `domain`, for an imported API. @default '$JS.API' */
  readonly apiPrefix?: string;
  /** @default systemClock */
  readonly clock?: Clock;
}

export const JETSTREAM_BROKER_DEFAULTS = {
  stream: 'holdfast',
  createStream: true,
  replicas: 1,
  maxAgeMs: 604_800_000,
  maxBytes: 0,
  duplicateWindowMs: 120_000,
  duplicatesBy: 'topic and id',
  deliverFrom: 'all',
  ackWaitMs: 10_000,
  prefetch: 100,
  maxAckPending: 1_000,
  timeoutMs: 10_000,
  reconnectMs: 500,
  connection: {},
  clock: systemClock,
} as const;

export type ResolvedJetStreamOptions = JetStreamBrokerOptions &
  Required<Omit<JetStreamBrokerOptions, 'domain' | 'apiPrefix'>>;

const LONGEST_AGE_MS = 315_360_000_000;

export function resolveJetStreamOptions(given: JetStreamBrokerOptions): ResolvedJetStreamOptions {
  const stream = given.stream ?? JETSTREAM_BROKER_DEFAULTS.stream;
  const options = { ...JETSTREAM_BROKER_DEFAULTS, subjectPrefix: `${stream}.`, ...given };
  if (options.servers.length === 0 || !options.servers.every(isServer)) {
    // A URL may hold a password: it is not repeated.
    throw new TypeError(
      'jetstreamBroker.servers must name at least one URL such as nats://127.0.0.1:4222.',
    );
  }
  if (options.clientId === '') throw new TypeError('jetstreamBroker.clientId must not be empty.');
  const misnamed = nameProblem(options.stream);
  if (misnamed !== undefined) {
    throw new TypeError(`jetstreamBroker.stream "${options.stream}" cannot be: ${misnamed}.`);
  }
  const { subjectPrefix } = options;
  if (subjectPrefix !== '' && !isPrefix(subjectPrefix)) {
    throw new TypeError(
      `jetstreamBroker.subjectPrefix must be tokens that end with a dot, such as orders., not "${subjectPrefix}".`,
    );
  }
  if (subjectPrefix === '' && options.createStream) {
    throw new RangeError(
      'jetstreamBroker.createStream needs a subjectPrefix: without one the stream would take every subject.',
    );
  }
  if (options.deliverFrom !== 'all' && options.deliverFrom !== 'new') {
    throw new RangeError(
      `jetstreamBroker.deliverFrom must be all or new, not ${String(options.deliverFrom)}.`,
    );
  }
  if (options.duplicatesBy !== 'topic and id' && options.duplicatesBy !== 'id') {
    throw new RangeError(
      `jetstreamBroker.duplicatesBy must be "topic and id" or "id", not ${String(options.duplicatesBy)}.`,
    );
  }
  checkInteger('jetstreamBroker.replicas', options.replicas, 1, 5);
  checkInteger('jetstreamBroker.maxAgeMs', options.maxAgeMs, 0, LONGEST_AGE_MS);
  checkInteger('jetstreamBroker.maxBytes', options.maxBytes, 0, Number.MAX_SAFE_INTEGER);
  const longestWindowMs = options.maxAgeMs === 0 ? LONGEST_AGE_MS : options.maxAgeMs;
  checkInteger(
    'jetstreamBroker.duplicateWindowMs',
    options.duplicateWindowMs,
    100,
    longestWindowMs,
  );
  checkInteger('jetstreamBroker.ackWaitMs', options.ackWaitMs, 1_000, 3_600_000);
  checkInteger('jetstreamBroker.prefetch', options.prefetch, 1, 10_000);
  checkInteger('jetstreamBroker.maxAckPending', options.maxAckPending, 1, 1_000_000);
  checkInteger('jetstreamBroker.timeoutMs', options.timeoutMs, 100, 600_000);
  checkInteger('jetstreamBroker.reconnectMs', options.reconnectMs, 10, 60_000);
  return options;
}

const isServer = (text: string): boolean =>
  URL.canParse(text) && /^(?:nats|tls):$/.test(new URL(text).protocol);

const isPrefix = (text: string): boolean =>
  text.endsWith('.') && topicProblem(text.slice(0, -1), '') === undefined;

/** Hosts and ports, for messages: without passwords. */
export function placeOf(servers: readonly string[]): string {
  return `NATS at ${servers.map((each) => new URL(each).host).join(', ')}`;
}

/** How a connection beside the broker's own is made, for what only it can do. */
export function natsConnectOptions(
  given: JetStreamBrokerOptions,
  what: string,
): NatsConnectOptions {
  return connectOptions(resolveJetStreamOptions(given), what);
}

/** The client takes no user or password in an address; Go's does, and so do we. */
export function connectOptions(
  options: ResolvedJetStreamOptions,
  what: string,
): NatsConnectOptions {
  const { clientId, connection, servers, timeoutMs } = options;
  const urls = servers.map((each) => new URL(each));
  const signed = urls.find(({ username }) => username !== '');
  const [user, pass] = [signed?.username ?? '', signed?.password ?? ''].map(decodeURIComponent);
  return {
    servers: urls.map(({ hostname, port }) => `${hostname}:${port === '' ? '4222' : port}`),
    name: `${clientId} (${what})`,
    timeout: timeoutMs,
    // A client that reconnects keeps what it was given and sends it then.
    reconnect: false,
    // A server that hangs is known by two pings without an answer.
    pingInterval: Math.max(1_000, Math.ceil(timeoutMs / 2)),
    maxPingOut: 2,
    ...(user && pass ? { user, pass } : {}),
    ...(user && !pass ? { token: user } : {}),
    ...(urls.some(({ protocol }) => protocol === 'tls:') ? { tls: {} } : {}),
    ...connection,
  };
}
