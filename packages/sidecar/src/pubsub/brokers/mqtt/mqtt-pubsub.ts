import type { Clock } from '@holdfast/core';
import { mqttBroker } from '@holdfast/messaging/mqtt';
import type { Logger } from '@holdfast/telemetry/log';
import * as mqtt from 'mqtt';
import type { ComponentSettings } from '../../../components/component-settings.ts';
import { isTrue } from '../../../components/is-true.ts';
import type { PubSub } from '../../pubsub.ts';
import { brokerPubSub } from '../broker-pubsub.ts';
import { reachBroker } from '../reach-broker.ts';
import { mqttLayout } from './mqtt-layout.ts';
import { mqttPubSubSettings } from './mqtt-pubsub-settings.ts';

export interface MqttPubSubEnv {
  readonly appId: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly mayBeAway?: boolean;
}

/** So many events may be in the application; brokers seldom send more ahead. */
const PARALLEL = 100;

/**
 * `pubsub.mqtt3`: MQTT 3.1.1, with one session named by the consumer id that has
 * all subscriptions, as daprd has it: what daprd's session has kept is delivered
 * by this one, and the other way round. Topics may have wildcards, and
 * `$share/GROUP/` before them. Publishing has a connection of its own,
 * `CONSUMERID-publisher`.
 *
 * @throws Error for metadata that cannot be, and for a broker that cannot be reached or does not let us in.
 */
export async function mqttPubSub(
  settings: ComponentSettings,
  { clock, log, mayBeAway, ...names }: MqttPubSubEnv,
): Promise<PubSub> {
  const read = mqttPubSubSettings(settings, names);
  const broker = mqttBroker({
    mqtt,
    url: read.url,
    clientId: read.consumerId,
    protocolVersion: 4,
    session: 'group',
    qos: read.qos,
    cleanSession: read.cleanSession,
    layout: mqttLayout(read),
    ...(read.username === undefined ? {} : { username: read.username }),
    ...(read.password === undefined ? {} : { password: read.password }),
    ...(read.tls === undefined ? {} : { tls: read.tls }),
    clock,
  });
  await reachBroker(broker, { component: settings.component, log, mayBeAway });
  return brokerPubSub(broker, {
    component: settings.component,
    group: read.consumerId,
    concurrency: PARALLEL,
    capabilities: ['SUBSCRIBE_WILDCARDS'],
    // A clean session is forgotten when the last of its subscriptions ends; until then one that has ended is in the others' way.
    detailsOf: ({ unsubscribeOnClose }) => ({
      unsubscribe: String(read.cleanSession || isTrue(unsubscribeOnClose)),
    }),
    mayBeAway,
    clock,
    log,
  });
}
