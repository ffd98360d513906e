import type { Clock } from '@holdfast/core';
import { sqliteBroker } from '@holdfast/messaging/sqlite-broker';
import type { Logger } from '@holdfast/telemetry/log';
import type { ComponentSettings } from '../../../components/component-settings.ts';
import type { PubSub } from '../../pubsub.ts';
import { brokerPubSub } from '../broker-pubsub.ts';
import { sqlitePubSubSettings } from './sqlite-pubsub-settings.ts';

export interface SqlitePubSubEnv {
  readonly appId: string;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * `pubsub.sqlite`, which Dapr does not have: the sidecars of a machine share a
 * file in place of a broker. A publication is answered when it is on disk; each
 * consumer id gets every event since it first subscribed, those who give the
 * same share them, and what a killed sidecar had in hand is another's after
 * `leaseDuration`.
 *
 * @throws Error for metadata that cannot be, or a file that cannot be used.
 */
export async function sqlitePubSub(
  settings: ComponentSettings,
  { clock, log, ...names }: SqlitePubSubEnv,
): Promise<PubSub> {
  const read = sqlitePubSubSettings(settings, names);
  const broker = sqliteBroker({
    path: read.path,
    timeoutMs: read.timeoutMs,
    leaseMs: read.leaseMs,
    maxMessages: read.maxMessages,
    maxMessageBytes: read.maxMessageBytes,
    ...(read.forgetGroupsAfterMs === undefined
      ? {}
      : { forgetGroupsAfterMs: read.forgetGroupsAfterMs }),
    // As other brokers here: an event of a topic nobody has subscribed to is nobody's.
    requireSubscriber: false,
    lifetimeMs: ({ headers }) => lifetimeMs(headers.ttlInSeconds),
    clock,
  });
  await broker.open().catch(async (error: unknown) => {
    await broker.close();
    throw error;
  });
  return brokerPubSub(broker, {
    component: settings.component,
    group: read.group,
    concurrency: read.concurrency,
    redeliver: { redeliverMs: read.redeliverMs, maxRedeliverMs: read.maxRedeliverMs },
    clock,
    log,
  });
}

/** The envelope has it as `expiration`; a raw payload has no envelope, and here need not have one. */
function lifetimeMs(ttlInSeconds: string | undefined): number | undefined {
  const seconds = Number(ttlInSeconds);
  return seconds > 0 && seconds <= 2 ** 40 ? seconds * 1_000 : undefined;
}
