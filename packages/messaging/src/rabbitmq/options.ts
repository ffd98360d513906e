import { type Clock, systemClock } from '@holdfast/core';
import { checkInteger } from '../check.ts';
import { fanoutLayout, type RabbitLayout } from './layout.ts';
import type { AmqpModule, AmqpSocketOptions } from './module.ts';

export interface RabbitBrokerOptions {
  /** The module: `import * as amqp from 'amqplib'`. */
  readonly amqp: AmqpModule;
  /** For example `amqp://user:password@127.0.0.1:5672`; `amqps://` for TLS. */
  readonly url: string;
  /** Names this process's connections in RabbitMQ's own lists. */
  readonly clientId: string;
  /** For a connection, and again for all confirms of one `publish`, for setting a subscription up, and for each step of closing. @default 10_000 ms (100 … 600_000) */
  readonly timeoutMs?: number;
  /**
   * How often each side says that it is there; rounded down to seconds. A link that is dead without a word is noticed
   * after two to three of these, by the server too, which then gives what this process had to others. A
   * process whose event loop stands still for that long is taken for dead. A server that asks for less is given
   * less; a `heartbeat` in the URL goes before this.
   *
   * @default 5_000 ms (1_000 … 600_000)
   */
  readonly heartbeatMs?: number;
  /** Wait before a lost subscription connects again: the first, doubling up to ten times this. @default 500 ms (10 … 60_000) */
  readonly reconnectMs?: number;
  /**
   * `quorum` queues are kept by a majority of the nodes and count deliveries; `classic` ones live
   * on one node. A queue keeps the type it was made with.
   *
   * @default 'quorum'
   */
  readonly queueType?: 'quorum' | 'classic';
  /**
   * How long `subscribe` waits when its group is new, which is once: RabbitMQ answers before it has
   * written (seen with 3.10, one node). Killed within two seconds it may have forgotten a binding,
   * and what is published then does not reach the group until a member is back. A quorum queue is
   * bound after another second: a node killed within its first half never serves it again. With
   * 0 neither is waited for.
   *
   * @default 2_500 ms (0 … 60_000)
   */
  readonly settleMs?: number;
  /**
   * Whether exchanges and queues outlive the server's end. `false` is for sharing them with others
   * that made them so: what such a queue holds is lost when its server goes. @default true
   */
  readonly durable?: boolean;
  /** Whether an exchange or queue that nobody uses any more is removed, with what it holds. @default false */
  readonly autoDelete?: boolean;
  /** Messages a member has been sent and not acknowledged. @default 100 (1 … 10_000) */
  readonly prefetch?: number;
  /**
   * A message of an exchange without a queue would be confirmed and dropped by RabbitMQ. With
   * `true` it is postponed instead: it waits until somebody subscribes.
   *
   * @default true
   */
  readonly requireSubscriber?: boolean;
  /** How messages and queues lie there, for sharing them with other programs. @default as this adapter has them */
  readonly layout?: RabbitLayout;
  /** For `amqps://`. @default the system's certificates, and none of one's own */
  readonly tls?: RabbitTls;
  /** @default systemClock */
  readonly clock?: Clock;
}

/** PEM each. */
export interface RabbitTls {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  /** Signs in with the certificate, in place of the URL's password (SASL EXTERNAL). @default false */
  readonly external?: boolean;
}

export const RABBIT_BROKER_DEFAULTS = {
  timeoutMs: 10_000,
  heartbeatMs: 5_000,
  reconnectMs: 500,
  queueType: 'quorum',
  settleMs: 2_500,
  durable: true,
  autoDelete: false,
  prefetch: 100,
  requireSubscriber: true,
  layout: fanoutLayout,
  clock: systemClock,
} as const;

export type ResolvedRabbitOptions = Required<Omit<RabbitBrokerOptions, 'layout' | 'tls'>> & {
  readonly layout: Omit<RabbitLayout, 'queueOf'> & Partial<RabbitLayout>;
  readonly tls?: RabbitTls;
};

export function resolveRabbitOptions(given: RabbitBrokerOptions): ResolvedRabbitOptions {
  const options = { ...RABBIT_BROKER_DEFAULTS, ...given };
  if (!URL.canParse(options.url) || !/^amqps?:$/.test(new URL(options.url).protocol)) {
    // The URL may hold a password: it is not repeated.
    throw new TypeError('rabbitBroker.url must be a URL such as amqp://127.0.0.1:5672.');
  }
  if (options.clientId === '') throw new TypeError('rabbitBroker.clientId must not be empty.');
  if (options.queueType !== 'quorum' && options.queueType !== 'classic') {
    throw new RangeError(
      `rabbitBroker.queueType must be quorum or classic, not ${String(options.queueType)}.`,
    );
  }
  if (options.queueType === 'quorum' && (!options.durable || options.autoDelete)) {
    throw new RangeError(
      'rabbitBroker.queueType quorum needs durable true and autoDelete false; other queues are classic.',
    );
  }
  checkInteger('rabbitBroker.timeoutMs', options.timeoutMs, 100, 600_000);
  checkInteger('rabbitBroker.heartbeatMs', options.heartbeatMs, 1_000, 600_000);
  checkInteger('rabbitBroker.reconnectMs', options.reconnectMs, 10, 60_000);
  checkInteger('rabbitBroker.settleMs', options.settleMs, 0, 60_000);
  checkInteger('rabbitBroker.prefetch', options.prefetch, 1, 10_000);
  return options;
}

/** Host and port, for messages: without the password. */
export function placeOf(url: string): string {
  return `RabbitMQ at ${new URL(url).host}`;
}

/** As amqplib wants to be told; `purpose` tells one connection from the others in RabbitMQ's lists. */
export function socketOptions(
  { clientId, timeoutMs, tls }: ResolvedRabbitOptions,
  purpose: string,
): AmqpSocketOptions {
  const { external = false, ...pems } = tls ?? {};
  return {
    timeout: timeoutMs,
    clientProperties: { connection_name: `${clientId} (${purpose})` },
    ...pems,
    ...(external
      ? { credentials: { mechanism: 'EXTERNAL', response: () => Buffer.alloc(0) } }
      : {}),
  };
}

/** As amqplib wants to be told. */
export function urlWithHeartbeat({ heartbeatMs, url }: ResolvedRabbitOptions): string {
  const whole = new URL(url);
  if (!whole.searchParams.has('heartbeat')) {
    whole.searchParams.set('heartbeat', String(Math.floor(heartbeatMs / 1_000)));
  }
  return whole.href;
}
