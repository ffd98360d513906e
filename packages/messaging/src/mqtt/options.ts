import { type Clock, systemClock } from '@holdfast/core';
import { checkInteger } from '../check.ts';
import type { MqttModule } from './module.ts';

export interface MqttBrokerOptions {
  /** The module: `import * as mqtt from 'mqtt'`. */
  readonly mqtt: MqttModule;
  /** For example `mqtt://127.0.0.1:1883`. */
  readonly url: string;
  /** Names this process to the broker; a second process of the same name throws the first one out. */
  readonly clientId: string;
  readonly username?: string;
  readonly password?: string;
  /** For a connection, and again for all acknowledgements of one `publish`. @default 5_000 ms (10 … 600_000) */
  readonly timeoutMs?: number;
  /** A subscription looks for its lost broker this often. @default 500 ms (10 … 600_000) */
  readonly reconnectMs?: number;
  /** @default 30 s (0 … 65_535; 0 never pings) */
  readonly keepaliveS?: number;
  /**
   * A message that nobody has subscribed to would be acknowledged and dropped by the broker
   * (reason 16). With `true` it is postponed instead: it waits until somebody subscribes.
   * Set it to `false` for topics that may have no listener.
   *
   * @default true
   */
  readonly requireSubscriber?: boolean;
  /** @default systemClock */
  readonly clock?: Clock;
}

export const MQTT_BROKER_DEFAULTS = {
  timeoutMs: 5_000,
  reconnectMs: 500,
  keepaliveS: 30,
  requireSubscriber: true,
  clock: systemClock,
} as const;

export type ResolvedMqttOptions = MqttBrokerOptions &
  Required<Omit<MqttBrokerOptions, 'username' | 'password'>>;

export function resolveMqttOptions(given: MqttBrokerOptions): ResolvedMqttOptions {
  const options = { ...MQTT_BROKER_DEFAULTS, ...given };
  if (!URL.canParse(options.url)) {
    throw new TypeError(
      `mqttBroker.url must be a URL such as mqtt://127.0.0.1:1883, not "${options.url}".`,
    );
  }
  if (options.clientId === '') throw new TypeError('mqttBroker.clientId must not be empty.');
  checkInteger('mqttBroker.timeoutMs', options.timeoutMs, 10, 600_000);
  checkInteger('mqttBroker.reconnectMs', options.reconnectMs, 10, 600_000);
  checkInteger('mqttBroker.keepaliveS', options.keepaliveS, 0, 65_535);
  return options;
}

/** What every connection of this adapter has in common. */
export function connectOptions(options: ResolvedMqttOptions) {
  const { username, password, keepaliveS, timeoutMs } = options;
  return {
    protocolVersion: 5 as const,
    keepalive: keepaliveS,
    connectTimeout: timeoutMs,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
  };
}
