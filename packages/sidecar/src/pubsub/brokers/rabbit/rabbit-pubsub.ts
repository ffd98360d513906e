import type { Clock } from '@holdfast/core';
import { rabbitBroker } from '@holdfast/messaging/rabbitmq';
import type { Logger } from '@holdfast/telemetry/log';
import * as amqp from 'amqplib';
import type { ComponentSettings } from '../../../components/component-settings.ts';
import type { PubSub } from '../../pubsub.ts';
import { brokerPubSub } from '../broker-pubsub.ts';
import { reachBroker } from '../reach-broker.ts';
import { rabbitLayout } from './rabbit-layout.ts';
import { rabbitPubSubSettings } from './rabbit-pubsub-settings.ts';

export interface RabbitPubSubEnv {
  readonly appId: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly mayBeAway?: boolean;
}

/** A member has so many events in the application with `concurrency: parallel`. */
const PARALLEL = 100;

/**
 * `pubsub.rabbitmq`: an exchange per topic, a queue `CONSUMERID-TOPIC` for
 * those who give the same consumer id, declared as Dapr declares them. Messages
 * are confirmed by the server before a publication is answered.
 *
 * @throws Error for metadata that cannot be, and for a server that cannot be reached or does not let us in.
 */
export async function rabbitPubSub(
  settings: ComponentSettings,
  { clock, log, mayBeAway, ...names }: RabbitPubSubEnv,
): Promise<PubSub> {
  const read = rabbitPubSubSettings(settings, names);
  const broker = rabbitBroker({
    amqp,
    url: read.url,
    clientId: read.clientName,
    queueType: 'classic',
    durable: read.durable,
    autoDelete: read.deletedWhenUnused,
    layout: rabbitLayout(read),
    ...(read.tls === undefined ? {} : { tls: read.tls }),
    ...(read.prefetch === undefined ? {} : { prefetch: read.prefetch }),
    ...(read.heartbeatMs === undefined ? {} : { heartbeatMs: read.heartbeatMs }),
    ...(read.reconnectMs === undefined ? {} : { reconnectMs: read.reconnectMs }),
    requireSubscriber: false,
    // As Dapr: an application with many topics would be ready seconds later, with its first start.
    settleMs: 0,
    clock,
  });
  await reachBroker(broker, { component: settings.component, log, mayBeAway });
  return brokerPubSub(broker, {
    component: settings.component,
    group: read.consumerId,
    concurrency: read.single ? 1 : PARALLEL,
    capabilities: ['MESSAGE_TTL'],
    mayBeAway,
    clock,
    log,
  });
}
