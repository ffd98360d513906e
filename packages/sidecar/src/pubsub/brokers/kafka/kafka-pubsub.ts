import { randomUUID } from 'node:crypto';
import type { Clock } from '@holdfast/core';
import { type KafkaSasl, kafkaBroker } from '@holdfast/messaging/kafka';
import type { Logger } from '@holdfast/telemetry/log';
import * as kafka from '@platformatic/kafka';
import type { ComponentSettings } from '../../../components/component-settings.ts';
import { proxyOf } from '../../../egress/proxy-of.ts';
import type { PubSub } from '../../pubsub.ts';
import { brokerPubSub } from '../broker-pubsub.ts';
import { askToken, placesOf } from './ask-token.ts';
import { avroPubSub } from './avro/avro-pubsub.ts';
import { SchemaRegistry } from './avro/schema-registry.ts';
import { kafkaLayout } from './kafka-layout.ts';
import { kafkaPubSubSettings } from './kafka-pubsub-settings.ts';
import type { KafkaSecurity } from './kafka-security.ts';
import { tokenSource } from './token-source.ts';

export interface KafkaPubSubEnv {
  readonly appId: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** Of the environment, which may name proxies. @default none */
  readonly variables?: Readonly<Record<string, string | undefined>>;
}

/** Until a topic that was never published to is there: about as long as Dapr's client tries. */
const NEW_TOPIC_MS = 4_000;

/** So many partitions of a topic may have an event in the application. */
const PARTITIONS = 100;

/**
 * `pubsub.kafka`: records, groups and partitions as Dapr has them, so that
 * members of both makes can share the events of a group. A publication is
 * answered when all replicas in sync have it; events of a partition come one
 * after another, and one that fails holds its partition until it is taken, or
 * given up where the metadata say when.
 *
 * @throws Error for metadata that cannot be, or is not in this version.
 */
export async function kafkaPubSub(
  settings: ComponentSettings,
  { clock, log, variables = {}, ...names }: KafkaPubSubEnv,
  /** Whether what fails is handed over again, where the metadata do not say so. */
  { retries }: { readonly retries: boolean } = { retries: true },
): Promise<PubSub> {
  const read = kafkaPubSubSettings(settings, { ...names, retries });
  const broker = kafkaBroker({
    kafka,
    bootstrap: read.brokers,
    clientId: read.clientId,
    // Replicas have one name, and each is a member of its own.
    memberName: `${read.clientId.replaceAll(/\s+/g, '-')}-${randomUUID()}`,
    initialOffset: read.initialOffset,
    // As daprd: a transaction that its producer left open would hold up everybody behind it.
    isolation: 'uncommitted',
    layout: kafkaLayout(read),
    maxMessageBytes: read.maxMessageBytes,
    sessionTimeoutMs: read.sessionTimeoutMs,
    reconnectMs: read.reconnectMs,
    heartbeatMs: read.heartbeatMs,
    assignment: read.assignment,
    partitionsMs: read.partitionsMs,
    newTopicMs: NEW_TOPIC_MS,
    compression: read.compression,
    fetchMinBytes: read.fetchMinBytes,
    fetchPartitionBytes: read.fetchPartitionBytes,
    ...saslOf(read, clock),
    ...(read.tls === undefined ? {} : { tls: read.tls }),
    clock,
  });
  const pubsub = brokerPubSub(broker, {
    component: settings.component,
    group: read.group,
    concurrency: PARTITIONS,
    capabilities: ['BULK_PUBSUB'],
    redeliver: { redeliverMs: read.redeliverMs, maxRedeliverMs: read.maxRedeliverMs },
    ...(read.giveUpAfter === undefined ? {} : { giveUpAfter: read.giveUpAfter }),
    clock,
    log,
  });
  const { registry } = read;
  return avroPubSub(
    pubsub,
    registry === undefined
      ? undefined
      : new SchemaRegistry(registry, { clock, log, proxyOf: proxyOf(variables) }),
    registry?.avroJson ?? false,
  );
}

function saslOf({ oidc, sasl }: KafkaSecurity, clock: Clock): { readonly sasl?: KafkaSasl } {
  if (oidc === undefined) return sasl === undefined ? {} : { sasl };
  const token = tokenSource((place) => askToken(oidc, place, clock), placesOf(oidc), clock);
  return { sasl: { mechanism: 'OAUTHBEARER', token, extensions: oidc.extensions } };
}
