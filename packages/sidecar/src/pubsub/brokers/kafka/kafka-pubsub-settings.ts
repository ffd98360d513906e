import type { ComponentSettings } from '../../../components/component-settings.ts';
import { durationSetting } from '../../../components/duration-setting.ts';
import { milliseconds } from '../../../components/milliseconds.ts';
import { readGoWhole, readWhole, wholeNumber } from '../../../components/whole-number.ts';
import { goRegExp } from '../../../resources/go-regexp.ts';
import { type RegistrySettings, registrySettings } from './avro/registry-settings.ts';
import { type KafkaSecurity, kafkaSecurity } from './kafka-security.ts';

export interface KafkaPubSubSettings extends KafkaSecurity {
  readonly brokers: readonly string[];
  readonly group: string;
  readonly clientId: string;
  readonly initialOffset: 'earliest' | 'latest';
  readonly maxMessageBytes: number;
  readonly sessionTimeoutMs: number;
  /** Between attempts to consume again. */
  readonly reconnectMs: number;
  /** Waits before an event is handed over again: the first, and the longest. */
  readonly redeliverMs: number;
  readonly maxRedeliverMs: number;
  /** Deliveries of an event that fails, after which the next one comes; undefined: for ever. */
  readonly giveUpAfter: number | undefined;
  readonly escapeHeaders: boolean;
  /** Metadata whose names it fits are no headers, either way. */
  readonly excludedHeaders: RegExp | undefined;
  readonly compression: (typeof COMPRESSIONS)[number];
  readonly fetchMinBytes: number;
  readonly fetchPartitionBytes: number;
  readonly heartbeatMs: number;
  /** How often it looks whether a topic has more partitions. */
  readonly partitionsMs: number;
  readonly assignment: (typeof ASSIGNMENTS)[number];
  readonly registry: RegistrySettings | undefined;
}

/** What of Dapr's component this one does not do; said at the start, not found out at night. */
const NOT_THERE = ['seekOnStart'] as const;

const ASSIGNMENTS = ['range', 'roundrobin', 'sticky'] as const;

const COMPRESSIONS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;

/** The waits grow: nobody means a subscription to stay away for longer than this. */
const LONGEST_RECONNECT_MS = 60_000;

/** More deliveries of one event in a row than anybody waits for. */
const MOST_RETRIES = 999;

/** @throws Error that names the item and what may stand there. */
export function kafkaPubSubSettings(
  settings: ComponentSettings,
  { retries = true, ...names }: { readonly appId: string; readonly retries?: boolean },
): KafkaPubSubSettings {
  for (const name of NOT_THERE) {
    const value = settings.text(name);
    if (value === undefined || /^(none|false|never)$/i.test(value)) continue;
    throw new Error(`metadata ${name}: "${value}" is not in this version`);
  }
  const sessionTimeoutMs = durationSetting(settings, 'sessionTimeout') ?? 10_000;
  return {
    brokers: brokersOf(settings),
    group: groupOf(settings, names.appId),
    clientId: settings.text('clientID') ?? names.appId,
    initialOffset: initialOffsetOf(settings),
    maxMessageBytes: atLeastOne(settings, 'maxMessageBytes', 1_048_576, readGoWhole),
    sessionTimeoutMs,
    reconnectMs: reconnectMsOf(settings),
    ...redeliveryOf(settings),
    giveUpAfter: giveUpAfterOf(settings, retries),
    escapeHeaders: settings.flag('escapeHeaders'),
    excludedHeaders: excludedOf(settings.text('excludeHeaderMetaRegex')),
    compression: compressionOf(settings.text('compression') ?? 'none'),
    fetchMinBytes: atLeastOne(settings, 'consumerFetchMin', 1),
    fetchPartitionBytes: atLeastOne(settings, 'consumerFetchDefault', 1_048_576),
    heartbeatMs: heartbeatOf(settings, sessionTimeoutMs),
    partitionsMs: partitionsMsOf(settings),
    assignment: assignmentOf(settings.text('consumerGroupRebalanceStrategy') ?? 'range'),
    registry: registrySettings(settings),
    ...kafkaSecurity(settings),
  };
}

/** The driver has no groups with spaces in their names. */
function groupOf(settings: ComponentSettings, appId: string): string {
  const group = settings.text('consumerGroup') ?? settings.text('consumerID') ?? appId;
  if (/^\S+$/.test(group)) return group;
  throw new Error(`metadata consumerGroup (or consumerID) must have no spaces, unlike "${group}"`);
}

function brokersOf(settings: ComponentSettings): string[] {
  const given = settings.text('brokers');
  if (given === undefined) throw new Error('metadata brokers must be given: "host:9092,host:9092"');
  return given.split(',').map((each) => {
    const broker = each.trim();
    if (/^[^\s:/]+$/.test(broker)) return `${broker}:9092`;
    if (/^(\[[^\]]+\]|[^\s:/]+):\d+$/.test(broker)) return broker;
    throw new Error(`metadata brokers "${broker}" is no host:port, such as localhost:9092`);
  });
}

function initialOffsetOf(settings: ComponentSettings): 'earliest' | 'latest' {
  const given = settings.text('initialOffset') ?? 'newest';
  if (/^newest$/i.test(given)) return 'latest';
  if (/^oldest$/i.test(given)) return 'earliest';
  throw new Error(`metadata initialOffset must be newest or oldest, not "${given}"`);
}

function excludedOf(text: string | undefined): RegExp | undefined {
  try {
    return text === undefined ? undefined : goRegExp(text);
  } catch (error) {
    throw new Error(`metadata excludeHeaderMetaRegex: ${(error as Error).message}`);
  }
}

function compressionOf(given: string): KafkaPubSubSettings['compression'] {
  const found = COMPRESSIONS.find((one) => one === given.toLowerCase());
  if (found !== undefined) return found;
  throw new Error(`metadata compression must be ${COMPRESSIONS.join(', ')}, not "${given}"`);
}

/** A minute where Dapr has eight: until then what lies in new partitions waits. Dapr's word for its default is 0. */
function partitionsMsOf(settings: ComponentSettings): number {
  const ms = durationSetting(settings, 'clientConnectionTopicMetadataRefreshInterval') ?? 0;
  return ms <= 0 ? 60_000 : Math.round(Math.min(Math.max(ms, 1_000), 3_600_000));
}

function assignmentOf(given: string): KafkaPubSubSettings['assignment'] {
  const found = ASSIGNMENTS.find((one) => one === given.toLowerCase());
  if (found !== undefined) return found;
  throw new Error(
    `metadata consumerGroupRebalanceStrategy must be ${ASSIGNMENTS.join(', ')}, not "${given}"`,
  );
}

/** A third of the session at most: two may be lost on the way before a member is given up. */
function heartbeatOf(settings: ComponentSettings, sessionTimeoutMs: number): number {
  const ms =
    durationSetting(settings, 'heartbeatInterval') ?? Math.min(3_000, sessionTimeoutMs - 1);
  if (ms >= 100 && ms < sessionTimeoutMs) {
    return Math.round(Math.min(ms, Math.floor(sessionTimeoutMs / 3)));
  }
  throw new Error(
    `metadata heartbeatInterval must be 100ms or more and less than sessionTimeout (${sessionTimeoutMs} ms), not ${ms} ms`,
  );
}

function reconnectMsOf(settings: ComponentSettings): number {
  const ms = milliseconds(settings, 'consumeRetryInterval', 100);
  if (ms >= 0) return Math.min(Math.max(1, ms), LONGEST_RECONNECT_MS);
  throw new Error(`metadata consumeRetryInterval must be 0 or more, not ${ms} ms`);
}

function redeliveryOf(settings: ComponentSettings) {
  const policy = (settings.text('backOffPolicy') ?? 'constant').toLowerCase();
  const [first, longest] =
    policy === 'constant'
      ? [milliseconds(settings, 'backOffDuration', 5_000)]
      : policy === 'exponential'
        ? [
            milliseconds(settings, 'backOffInitialInterval', 500),
            milliseconds(settings, 'backOffMaxInterval', 60_000),
          ]
        : [];
  if (first === undefined) {
    throw new Error(`metadata backOffPolicy must be constant or exponential, not "${policy}"`);
  }
  const redeliverMs = Math.max(1, first);
  return { redeliverMs, maxRedeliverMs: Math.max(redeliverMs, longest ?? 0) };
}

function giveUpAfterOf(settings: ComponentSettings, byDefault: boolean): number | undefined {
  // Asked for where they count: without retries the log says that their number has no effect.
  if (!settings.flag('consumeRetryEnabled', byDefault)) return 1;
  const retries = wholeNumber(settings, 'backOffMaxRetries', -1);
  if (retries < 0) return undefined;
  if (retries <= MOST_RETRIES) return retries + 1;
  throw new Error(
    `metadata backOffMaxRetries must be 0 to ${MOST_RETRIES}, or -1 for no end, not ${retries}`,
  );
}

function atLeastOne(
  settings: ComponentSettings,
  name: string,
  byDefault: number,
  read = readWhole,
): number {
  const value = wholeNumber(settings, name, byDefault, read);
  // Zero is Dapr's word for its default.
  if (value === 0) return byDefault;
  if (value > 0) return value;
  throw new Error(`metadata ${name} must be at least 1, not ${value}`);
}
