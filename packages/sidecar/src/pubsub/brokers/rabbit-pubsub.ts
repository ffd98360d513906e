import type { Clock } from '@holdfast/core';
import { rabbitBroker } from '@holdfast/messaging/rabbitmq';
import type { Logger } from '@holdfast/telemetry/log';
import * as amqp from 'amqplib';
import type { ComponentSettings } from '../../components/component-settings.ts';
import { wholeNumber } from '../../redis/redis-settings.ts';
import type { PubSub } from '../pubsub.ts';
import { brokerPubSub } from './broker-pubsub.ts';

export interface RabbitPubSubEnv {
  readonly appId: string;
  readonly clock: Clock;
  readonly log: Logger;
}

/** What of Dapr's component this one does not do; said at the start, not found out at night. */
const NOT_THERE = ['exchangeKind', 'enableDeadLetter', 'saslExternal', 'autoAck'] as const;

/** A member has so many events in the application with `concurrency: parallel`. */
const PARALLEL = 100;

/**
 * `pubsub.rabbitmq`: a fanout exchange per topic, a queue `CONSUMERID-TOPIC` for
 * those who give the same consumer id, declared as Dapr declares them. Messages
 * are confirmed by the server before a publication is answered.
 *
 * @throws Error for metadata that cannot be, or is not in this version.
 */
export async function rabbitPubSub(
  settings: ComponentSettings,
  { clock, log, ...names }: RabbitPubSubEnv,
): Promise<PubSub> {
  for (const name of NOT_THERE) {
    const value = settings.text(name);
    if (value === undefined || value === 'false' || value === 'fanout') continue;
    throw new Error(`metadata ${name}: "${value}" is not in this version`);
  }
  const group = settings.text('consumerID') ?? names.appId;
  const single = settings.text('concurrency') === 'single';
  const prefetch = wholeNumber(settings, 'prefetchCount', 0);
  const broker = rabbitBroker({
    amqp,
    url: addressOf(settings),
    clientId: settings.text('clientName') ?? names.appId,
    // As Dapr's defaults; what is to survive the server must say `durable: true`.
    queueType: 'classic',
    durable: settings.flag('durable'),
    autoDelete:
      settings.text('deletedWhenUnused') === undefined || settings.flag('deletedWhenUnused'),
    ...(prefetch > 0 ? { prefetch } : {}),
    requireSubscriber: false,
    // As Dapr: an application with many topics would be ready seconds later, with its first start.
    settleMs: 0,
    clock,
  });
  const { component } = settings;
  return brokerPubSub(broker, { component, group, concurrency: single ? 1 : PARALLEL, log });
}

function addressOf(settings: ComponentSettings): string {
  const given = settings.text('connectionString') ?? settings.text('host');
  if (given !== undefined && given !== '') return given;
  const hostname = settings.text('hostname');
  if (hostname === undefined)
    throw new Error('metadata connectionString, or hostname, must be given');
  const url = new URL(`${settings.text('protocol') ?? 'amqp'}://${hostname}`);
  url.username = settings.text('username') ?? '';
  url.password = settings.text('password') ?? '';
  return url.href;
}
