import { readFileSync } from 'node:fs';
import type { ComponentSettings } from '../../../components/component-settings.ts';
import { componentDuration, durationSetting } from '../../../components/duration-setting.ts';
import { readGoWhole, wholeNumber, wholeNumberWithin } from '../../../components/whole-number.ts';
import { oneAtATime } from '../one-at-a-time.ts';

/** Where a NATS is, and what its consumers are to be, read from a component's metadata: Dapr's names and defaults. */
export interface JetStreamSettings {
  readonly component: string;
  readonly servers: readonly string[];
  /** As the server lists the connection. */
  readonly name: string;
  readonly credentials: Credentials;
  /** Undefined: the stream that has the topic among its subjects. */
  readonly streamName: string | undefined;
  /** Undefined: a consumer that ends with the sidecar, and begins anew with it. */
  readonly durableName: string | undefined;
  /** Members of one share the events; undefined: nobody else may be there. */
  readonly queueGroupName: string | undefined;
  /** What is the same for every topic, in JetStream's own names; times in nanoseconds. */
  readonly consumer: Readonly<Record<string, string | number | boolean | readonly number[]>>;
  readonly ackPolicy: AckPolicy;
  /** Deliveries of an event after which NATS gives it up; 0: never. */
  readonly maxDeliver: number;
  /** Events of a topic are in the application one after another. */
  readonly single: boolean;
  /** Wait before a failed event comes again, by deliveries before; the last one stays. Undefined: growing waits. */
  readonly redeliverMs: readonly number[] | undefined;
  readonly domain: string | undefined;
  readonly apiPrefix: string | undefined;
}

export type AckPolicy = 'explicit' | 'all' | 'none';

export type Credentials =
  | { readonly kind: 'none' }
  | { readonly kind: 'token'; readonly token: string }
  | { readonly kind: 'jwt'; readonly jwt: string; readonly seed: string }
  | { readonly kind: 'certificate'; readonly cert: string; readonly key: string };

const DELIVER = {
  all: 'all',
  last: 'last',
  new: 'new',
  sequence: 'by_start_sequence',
  time: 'by_start_time',
} as const;

/** @throws Error that names the item and the rule. */
export function jetstreamSettings(settings: ComponentSettings): JetStreamSettings {
  const { component } = settings;
  if (settings.text('format') !== undefined) {
    throw new Error(`component ${component}: metadata format is not in this version`);
  }
  const queueGroupName = settings.text('queueGroupName');
  const heartbeatMs = durationSetting(settings, 'heartbeat');
  const flowControl = settings.flag('flowControl');
  if (queueGroupName !== undefined && (flowControl || heartbeatMs !== undefined)) {
    throw new Error(
      `component ${component}: metadata flowControl and heartbeat cannot be together with queueGroupName; leave them or it out`,
    );
  }
  if (flowControl && heartbeatMs === undefined) {
    throw new Error(
      `component ${component}: metadata flowControl needs heartbeat too, such as 5s: without it NATS makes no such consumer`,
    );
  }
  const ackWaitMs = durationSetting(settings, 'ackWait');
  const backOffMs = durations(settings, 'backOff');
  const maxDeliver = wholeNumber(settings, 'maxDeliver', 0, readGoWhole);
  if (backOffMs !== undefined && maxDeliver > 0 && maxDeliver <= backOffMs.length) {
    throw new Error(
      `component ${component}: metadata maxDeliver must be more than the ${backOffMs.length} waits of backOff, not ${maxDeliver}`,
    );
  }
  return {
    component,
    servers: serversOf(settings),
    name: settings.text('name') ?? 'dapr.io - pubsub.jetstream',
    credentials: credentialsOf(settings),
    streamName: nameOf(settings, 'streamName'),
    durableName: nameOf(settings, 'durableName'),
    queueGroupName,
    consumer: {
      ...startOf(settings),
      ...(flowControl ? { flow_control: true } : {}),
      ...given('idle_heartbeat', nanos(heartbeatMs)),
      ...given('ack_wait', nanos(ackWaitMs)),
      ...given('max_deliver', limit(settings, 'maxDeliver')),
      ...given(
        'backoff',
        backOffMs?.map((ms) => nanos(ms)!),
      ),
      ...given('max_ack_pending', limit(settings, 'maxAckPending')),
      ...given('num_replicas', positive(settings, 'replicas')),
      ...(settings.flag('memoryStorage') ? { mem_storage: true } : {}),
      ...given('rate_limit_bps', positive(settings, 'rateLimit')),
    },
    maxDeliver: Math.max(0, maxDeliver),
    ackPolicy: ackPolicyOf(settings.text('ackPolicy')),
    // Unlike with other brokers.
    single: oneAtATime(settings, 'single'),
    redeliverMs: ackWaitMs === undefined ? backOffMs : [ackWaitMs],
    domain: settings.text('domain'),
    apiPrefix: settings.text('apiPrefix'),
  };
}

/** Several of one cluster stand between commas. */
function serversOf(settings: ComponentSettings): readonly string[] {
  return settings
    .required('natsURL')
    .split(',')
    .map((part) => {
      const url = part.includes('://') ? part.trim() : `nats://${part.trim()}`;
      if (URL.canParse(url) && /^(?:nats|tls):$/.test(new URL(url).protocol)) return url;
      // It may hold a password: it is not repeated.
      throw new Error(
        `component ${settings.component}: metadata natsURL must be such as nats://localhost:4222, or tls://`,
      );
    });
}

function nameOf(settings: ComponentSettings, item: string): string | undefined {
  const name = settings.text(item);
  if (name === undefined || !/[\s.*>/\\]/.test(name)) return name;
  throw new Error(
    `component ${settings.component}: metadata ${item} must have no space, dot, star, angle or slash in it, unlike "${name}"`,
  );
}

function credentialsOf(settings: ComponentSettings): Credentials {
  const pair = (one: string, other: string) => {
    const [first, second] = [settings.text(one), settings.text(other)];
    if (first !== undefined && second !== undefined) return [first, second] as const;
    if (first === second) return undefined;
    const [there, missing] = first === undefined ? [other, one] : [one, other];
    throw new Error(
      `component ${settings.component}: metadata ${there} needs ${missing} beside it`,
    );
  };
  const jwt = pair('jwt', 'seedKey');
  const certificate = pair('tls_client_cert', 'tls_client_key');
  const token = settings.text('token');
  // Dapr takes the first of these that is there.
  if (jwt !== undefined) return { kind: 'jwt', jwt: jwt[0], seed: jwt[1] };
  if (certificate !== undefined) {
    const [cert, key] = [
      pem(settings, 'tls_client_cert', certificate[0]),
      pem(settings, 'tls_client_key', certificate[1]),
    ];
    return { kind: 'certificate', cert, key };
  }
  return token === undefined ? { kind: 'none' } : { kind: 'token', token };
}

/** Dapr's documents show the text itself, its code takes a file's name: both will do. */
function pem(settings: ComponentSettings, name: string, value: string): string {
  if (value.includes('-----BEGIN')) return value;
  try {
    return readFileSync(value, 'utf8');
  } catch (error) {
    throw new Error(
      `component ${settings.component}: metadata ${name} is neither PEM nor a file that can be read: ${(error as Error).message}`,
    );
  }
}

/** A start that the policy does not ask for is left out, since NATS makes no consumer of both. */
function startOf(settings: ComponentSettings) {
  const policy = settings.text('deliverPolicy') ?? 'all';
  if (!Object.hasOwn(DELIVER, policy)) {
    throw new Error(
      `component ${settings.component}: metadata deliverPolicy must be ${Object.keys(DELIVER).join(', ')}, not "${policy}"`,
    );
  }
  const deliver_policy = DELIVER[policy as keyof typeof DELIVER];
  const missing = (name: string) =>
    new Error(
      `component ${settings.component}: metadata deliverPolicy ${policy} needs ${name} beside it`,
    );
  switch (deliver_policy) {
    case 'by_start_sequence': {
      const opt_start_seq = positive(settings, 'startSequence');
      if (opt_start_seq === undefined) throw missing('startSequence');
      return { deliver_policy, opt_start_seq };
    }
    case 'by_start_time': {
      const seconds = wholeNumber(settings, 'startTime', Number.NaN, readGoWhole);
      if (Number.isNaN(seconds)) throw missing('startTime');
      return { deliver_policy, opt_start_time: new Date(seconds * 1_000).toISOString() };
    }
    default:
      return { deliver_policy };
  }
}

/** Dapr takes any other word for `explicit`. */
const ackPolicyOf = (text: string | undefined): AckPolicy =>
  text === 'all' || text === 'none' ? text : 'explicit';

/** As Dapr: what is empty between commas is nothing, a bare number is seconds. */
function durations(settings: ComponentSettings, name: string): readonly number[] | undefined {
  const text = settings.text(name);
  if (text === undefined) return undefined;
  const waits = text
    .replace(/^\s*\[|\]\s*$/g, '')
    .split(',')
    .map((part) => part.trim().replace(/^"|"$/g, ''))
    .filter((part) => part !== '')
    .map((part) => {
      const parsed = componentDuration(part);
      if ('ms' in parsed && parsed.ms > 0) return parsed.ms;
      throw new Error(
        `component ${settings.component}: metadata ${name} must be durations such as 1s, 5s, 30s, not "${text}"`,
      );
    });
  return waits.length === 0 ? undefined : waits;
}

function positive(settings: ComponentSettings, name: string): number | undefined {
  return wholeNumberWithin(settings, name, { byDefault: 0, least: 0 }, readGoWhole) || undefined;
}

/** As NATS has it: -1 is no limit, said aloud. */
function limit(settings: ComponentSettings, name: string): number | undefined {
  return wholeNumberWithin(settings, name, { byDefault: 0, least: -1 }, readGoWhole) || undefined;
}

const nanos = (ms: number | undefined): number | undefined =>
  ms === undefined || ms === 0 ? undefined : ms * 1_000_000;

const given = <T>(name: string, value: T | undefined): Record<string, T> =>
  value === undefined ? {} : { [name]: value };
