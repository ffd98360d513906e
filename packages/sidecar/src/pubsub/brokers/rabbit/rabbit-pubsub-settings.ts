import type { ExchangeKind, RabbitTls } from '@holdfast/messaging/rabbitmq';
import type { ComponentSettings } from '../../../components/component-settings.ts';
import { durationSetting } from '../../../components/duration-setting.ts';
import { readGoWhole, wholeNumber, wholeNumberWithin } from '../../../components/whole-number.ts';
import { messageTtlMs } from '../../message-ttl.ts';
import { oneAtATime } from '../one-at-a-time.ts';

export interface RabbitPubSubSettings {
  readonly url: string;
  readonly tls: RabbitTls | undefined;
  readonly consumerId: string;
  readonly clientName: string;
  readonly durable: boolean;
  readonly deletedWhenUnused: boolean;
  readonly exchangeKind: ExchangeKind;
  /** Events in the application one after another. */
  readonly single: boolean;
  /** Events a queue has sent ahead; undefined: as many as are in the application. */
  readonly prefetch: number | undefined;
  /** What is published outlives the server, in queues that do. */
  readonly persistent: boolean;
  /** What fails goes to the queue `dlq-QUEUE`. */
  readonly deadLetters: boolean;
  /** What fails is gone. */
  readonly forgetsFailures: boolean;
  /** Of an event that does not say it itself. */
  readonly ttlMs: number | undefined;
  /** Of each queue: the oldest go when there are more. */
  readonly maxLength: number | undefined;
  readonly maxLengthBytes: number | undefined;
  /** Message id, correlation id, type, content type and headers come as `metadata.NAME`. */
  readonly tellsProperties: boolean;
  readonly heartbeatMs: number | undefined;
  readonly reconnectMs: number | undefined;
}

const EXCHANGE_KINDS: readonly string[] = ['fanout', 'topic', 'direct', 'headers'];
const PREFETCH = { byDefault: 0, least: 0, most: 255 };
const DELIVERY_MODE = { byDefault: 2, least: 0, most: 2 };
const HEARTBEAT_MS = { least: 1_000, most: 600_000 };
const RECONNECT_MS = { least: 10, most: 60_000 };
/** Growing to ten times this: a node that is back serves its subscribers within a second. */
const FIRST_RECONNECT_MS = 100;

/** @throws Error that names the item and what may stand there. */
export function rabbitPubSubSettings(
  settings: ComponentSettings,
  names: { readonly appId: string },
): RabbitPubSubSettings {
  const autoAck = settings.flag('autoAck');
  const heartbeatMs = durationSetting(settings, 'heartBeat');
  // The second is the name in Dapr's documentation.
  const reconnectMs = durationSetting(settings, 'reconnectWaitSeconds', 'reconnectWait');
  // Publications are always confirmed: what this asks for is there.
  settings.flag('publisherConfirm');
  return {
    ...addressOf(settings),
    consumerId: settings.text('consumerID') ?? names.appId,
    clientName: settings.text('clientName') ?? names.appId,
    durable: settings.flag('durable', true),
    deletedWhenUnused: settings.flag('deletedWhenUnused', true),
    exchangeKind: exchangeKindOf(settings.text('exchangeKind') ?? 'fanout'),
    single: oneAtATime(settings, 'parallel'),
    prefetch: wholeNumberWithin(settings, 'prefetchCount', PREFETCH, readGoWhole) || undefined,
    persistent: wholeNumberWithin(settings, 'deliveryMode', DELIVERY_MODE, readGoWhole) === 2,
    deadLetters:
      settings.flag('enableDeadLetter') && !settings.flag('requeueInFailure') && !autoAck,
    forgetsFailures: autoAck,
    ttlMs: ttlOf(settings),
    maxLength: limit(settings, 'maxLen'),
    maxLengthBytes: limit(settings, 'maxLenBytes'),
    tellsProperties: settings.flag('publishMessagePropertiesToMetadata'),
    heartbeatMs: heartbeatMs === 0 ? undefined : clamped(heartbeatMs, HEARTBEAT_MS),
    reconnectMs: clamped(reconnectMs ?? FIRST_RECONNECT_MS, RECONNECT_MS),
  };
}

function addressOf(settings: ComponentSettings): Pick<RabbitPubSubSettings, 'tls' | 'url'> {
  const given = settings.text('connectionString') ?? settings.text('host');
  const protocol = settings.text('protocol');
  if (protocol !== undefined && !/^amqps?$/.test(protocol)) {
    throw new Error(`metadata protocol must be amqp or amqps, not "${protocol}"`);
  }
  const url = given ?? built(settings, protocol ?? 'amqp');
  if (!URL.canParse(url) || !/^amqps?:$/.test(new URL(url).protocol)) {
    // Not shown: a password may be in it.
    throw new Error('metadata connectionString must be amqp://HOST:PORT or amqps://HOST:PORT');
  }
  const said = new URL(url).protocol.slice(0, -1);
  if (protocol !== undefined && protocol !== said) {
    throw new Error(`metadata protocol is ${protocol}, and connectionString says ${said}`);
  }
  return { url, tls: tlsOf(settings, said) };
}

function built(settings: ComponentSettings, protocol: string): string {
  const hostname = settings.text('hostname');
  if (hostname === undefined)
    throw new Error('metadata connectionString, or hostname, must be given');
  if (!URL.canParse(`${protocol}://${hostname}`)) {
    throw new Error(`metadata hostname "${hostname}" is no HOST or HOST:PORT`);
  }
  const url = new URL(`${protocol}://${hostname}`);
  url.username = encodeURIComponent(settings.text('username') ?? '');
  url.password = encodeURIComponent(settings.text('password') ?? '');
  return url.href;
}

/** Asked for where they count: beside `amqp`, or one without the other, the log says that they have no effect. */
function tlsOf(settings: ComponentSettings, protocol: string): RabbitTls | undefined {
  const external = settings.flag('saslExternal');
  const secure = protocol === 'amqps';
  const ca = secure || external ? settings.text('caCert') : undefined;
  const pair = secure || external ? settings.together('clientCert', 'clientKey') : undefined;
  const [cert, key] = pair ?? [];
  for (const [name, text] of Object.entries({ caCert: ca, clientCert: cert, clientKey: key })) {
    if (text === undefined || text.includes('-----BEGIN ')) continue;
    throw new Error(`metadata ${name} must be PEM, beginning with -----BEGIN`);
  }
  if (external && (ca === undefined || pair === undefined)) {
    throw new Error('metadata saslExternal needs caCert, clientCert and clientKey beside it');
  }
  if (!secure) return undefined;
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined || key === undefined ? {} : { cert, key }),
    external,
  };
}

function exchangeKindOf(given: string): ExchangeKind {
  if (EXCHANGE_KINDS.includes(given)) return given as ExchangeKind;
  throw new Error(`metadata exchangeKind must be ${EXCHANGE_KINDS.join(', ')}, not "${given}"`);
}

function ttlOf(settings: ComponentSettings): number | undefined {
  const given = settings.text('ttlInSeconds') ?? settings.text('ttl');
  if (given === undefined) return undefined;
  const ttlMs = messageTtlMs({ ttlInSeconds: given });
  // As in Dapr, 0 is none.
  if (ttlMs !== undefined && !given.startsWith('-')) return ttlMs || undefined;
  throw new Error(`metadata ttlInSeconds must be seconds, such as 30 or 1m, not "${given}"`);
}

/** As in Dapr, 0 and less are no limit. */
function limit(settings: ComponentSettings, name: string): number | undefined {
  const value = wholeNumber(settings, name, 0, readGoWhole);
  return value > 0 ? value : undefined;
}

function clamped(
  ms: number | undefined,
  { least, most }: { readonly least: number; readonly most: number },
): number | undefined {
  return ms === undefined ? undefined : Math.min(most, Math.max(least, Math.round(ms)));
}
