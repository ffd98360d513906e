import { type Clock, systemClock } from '@holdfast/core';
import type { Handler } from '../broker.ts';
import { checkInteger } from '../check.ts';
import { bodyLayout, type MqttLayout, propertiesLayout } from './layout.ts';
import type { MqttModule } from './module.ts';

export interface MqttBrokerOptions {
  /** The module: `import * as mqtt from 'mqtt'`. */
  readonly mqtt: MqttModule;
  /** For example `mqtt://127.0.0.1:1883`. */
  readonly url: string;
  /** Names this process to the broker; a second process of the same name throws the first one out. */
  readonly clientId: string;
  /**
   * 5, or 4 for MQTT 3.1.1, which has no properties: only the body travels, a message gets a new
   * id at each delivery, and nobody hears why the broker does not take one.
   *
   * @default 5
   */
  readonly protocolVersion?: 4 | 5;
  /**
   * 0 is sent once and never acknowledged, and may be lost. 1 is at least once. 2 is 1 with two more
   * packets for each message and direction: what a process has handled it does not handle again when
   * it loses its connection; one that is killed before its PUBREC has the message again, and a
   * publication whose connection is lost before its PUBCOMP fails, and may be there.
   *
   * @default 1
   */
  readonly qos?: 0 | 1 | 2;
  /**
   * `topic`: a session `GROUP:TOPIC` for each, which one process at a time may have.
   * `group`: one session, named as the group, for all its topics.
   * `member`: a session of this process for each, in a shared subscription (`$share/GROUP/TOPIC`):
   * members work side by side, so the order per key is given up. What the broker has assigned to
   * a member waits for a process of its `clientId`, whatever the others do.
   *
   * @default 'topic'
   */
  readonly session?: 'topic' | 'group' | 'member';
  /**
   * For sessions per member: a subscription that is closed leaves its group, so that the others
   * get what comes. Without the last member the group is gone, and what is published is not kept
   * for it. With `false` its place stays, and what the broker assigns to it waits.
   *
   * @default false
   */
  readonly leaveOnClose?: boolean;
  /** Sessions end with their connection: what comes while this process is away is not kept. @default false */
  readonly cleanSession?: boolean;
  /**
   * What becomes of messages that a kept session has for topics to which nobody in this process
   * subscribes, when they have waited for `claimMs`. `keep` leaves them at the broker and tells
   * `onProblem`: none is lost, but they hold up the rest of the session once there are as many as
   * the broker sends ahead (Mosquitto: 20). A function is given them as a handler is, and what it
   * succeeds with is acknowledged: put them into a store of yours, or return and they are gone.
   *
   * @default 'keep'
   */
  readonly unclaimed?: 'keep' | Handler;
  /** So long after a connection, or a change of its subscriptions, somebody may still subscribe. @default 60_000 ms (0 … 600_000) */
  readonly claimMs?: number;
  /** How messages become packets, and back. @default user properties, where the protocol has them */
  readonly layout?: MqttLayout;
  /** For `mqtts:`. PEM, as Node's `tls.connect` takes them. @default Node's own authorities */
  readonly tls?: MqttTls;
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
   * Set it to `false` for topics that may have no listener. MQTT 3.1.1 cannot tell.
   *
   * @default true with `protocolVersion` 5
   */
  readonly requireSubscriber?: boolean;
  /** @default systemClock */
  readonly clock?: Clock;
}

export interface MqttTls {
  readonly ca?: string;
  /** With `key`, shown to the broker. */
  readonly cert?: string;
  readonly key?: string;
  /** @default true */
  readonly rejectUnauthorized?: boolean;
}

export const MQTT_BROKER_DEFAULTS = {
  protocolVersion: 5,
  qos: 1,
  session: 'topic',
  leaveOnClose: false,
  cleanSession: false,
  unclaimed: 'keep',
  claimMs: 60_000,
  timeoutMs: 5_000,
  reconnectMs: 500,
  keepaliveS: 30,
  clock: systemClock,
} as const;

export type ResolvedMqttOptions = MqttBrokerOptions &
  Required<Omit<MqttBrokerOptions, 'username' | 'password' | 'tls'>>;

export function resolveMqttOptions(given: MqttBrokerOptions): ResolvedMqttOptions {
  const modern = (given.protocolVersion ?? MQTT_BROKER_DEFAULTS.protocolVersion) === 5;
  const options = {
    ...{ requireSubscriber: modern, layout: modern ? propertiesLayout : bodyLayout },
    ...MQTT_BROKER_DEFAULTS,
    ...given,
  };
  checkProtocol(options);
  if (!URL.canParse(options.url)) {
    throw new TypeError(
      `mqttBroker.url must be a URL such as mqtt://127.0.0.1:1883, not "${options.url}".`,
    );
  }
  if (options.clientId === '') throw new TypeError('mqttBroker.clientId must not be empty.');
  checkInteger('mqttBroker.timeoutMs', options.timeoutMs, 10, 600_000);
  checkInteger('mqttBroker.reconnectMs', options.reconnectMs, 10, 600_000);
  checkInteger('mqttBroker.claimMs', options.claimMs, 0, 600_000);
  if (options.unclaimed !== 'keep' && typeof options.unclaimed !== 'function') {
    throw new TypeError(
      `mqttBroker.unclaimed must be keep or a function, not ${JSON.stringify(options.unclaimed)}.`,
    );
  }
  checkInteger('mqttBroker.keepaliveS', options.keepaliveS, 0, 65_535);
  return options;
}

function checkProtocol({ protocolVersion, qos, requireSubscriber, session }: MqttBrokerOptions) {
  if (protocolVersion !== 4 && protocolVersion !== 5) {
    throw new RangeError(`mqttBroker.protocolVersion must be 4 or 5, not ${protocolVersion}.`);
  }
  if (qos !== 0 && qos !== 1 && qos !== 2) {
    throw new RangeError(`mqttBroker.qos must be 0, 1 or 2, not ${qos}.`);
  }
  if (session !== 'topic' && session !== 'group' && session !== 'member') {
    throw new TypeError(`mqttBroker.session must be topic, group or member, not "${session}".`);
  }
  if (protocolVersion === 5) return;
  if (session === 'member') {
    throw new TypeError('mqttBroker.session "member" needs protocolVersion 5.');
  }
  if (requireSubscriber) {
    throw new TypeError('mqttBroker.requireSubscriber needs protocolVersion 5: set it to false.');
  }
}

/** What every connection of this adapter has in common. */
export function connectOptions(options: ResolvedMqttOptions) {
  const { username, password, keepaliveS, protocolVersion, timeoutMs, tls } = options;
  return {
    protocolVersion,
    ...tls,
    keepalive: keepaliveS,
    connectTimeout: timeoutMs,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
  };
}
