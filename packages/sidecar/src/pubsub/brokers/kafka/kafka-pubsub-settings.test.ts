import assert from 'node:assert/strict';
import { test } from 'node:test';
import { selfSigned } from '@holdfast/test-servers';
import { ComponentSettings } from '../../../components/component-settings.ts';
import { kafkaPubSubSettings } from './kafka-pubsub-settings.ts';

const names = { appId: 'shop' };
const plain = { brokers: 'h', authType: 'none' };
const { certificate: PEM, key: KEY } = await selfSigned();
const { key: OTHER_KEY } = await selfSigned();
const [BEGIN, END] = ['-----BEGIN CERTIFICATE-----', '-----END CERTIFICATE-----'];

test('what is not given is as Dapr has it', () => {
  assert.deepEqual(read(plain), {
    brokers: ['h:9092'],
    group: 'shop',
    clientId: 'shop',
    initialOffset: 'latest',
    maxMessageBytes: 1_048_576,
    sessionTimeoutMs: 10_000,
    reconnectMs: 100,
    redeliverMs: 5_000,
    maxRedeliverMs: 5_000,
    giveUpAfter: undefined,
    compression: 'none',
    escapeHeaders: false,
    excludedHeaders: undefined,
    fetchMinBytes: 1,
    fetchPartitionBytes: 1_048_576,
    heartbeatMs: 3_000,
    partitionsMs: 60_000,
    assignment: 'range',
    registry: undefined,
    sasl: undefined,
    oidc: undefined,
    tls: undefined,
  });
});

test('a group is consumerGroup, else consumerID, else the app id', () => {
  const group = (more: Readonly<Record<string, string>>) => read({ ...plain, ...more }).group;
  assert.deepEqual(
    [group({ consumerID: 'a' }), group({ consumerID: 'a', consumerGroup: 'g' }), group({})],
    ['a', 'g', 'shop'],
  );
});

test('a topic is looked at for more partitions every minute, or as the metadata say', () => {
  const every = (text: string) =>
    read({ ...plain, clientConnectionTopicMetadataRefreshInterval: text }).partitionsMs;
  assert.deepEqual(
    ['15s', '10ms', '0', '-1s', '24h'].map(every),
    [15_000, 1_000, 60_000, 60_000, 3_600_000],
  );
});

test('a registry keeps schemas for five minutes, or as the metadata say', () => {
  const registry = (more: Readonly<Record<string, string>>) =>
    read({ ...plain, schemaRegistryURL: 'http://s/', ...more }).registry;
  const key = { schemaRegistryAPIKey: 'k', schemaRegistryAPISecret: 's' };
  assert.deepEqual(
    [
      registry({}),
      registry({ ...key, schemaLatestVersionCacheTTL: '1m', useAvroJSON: 'true' }),
      registry({ schemaCachingEnabled: 'false' })?.latestForMs,
    ],
    [
      { url: 'http://s', key: undefined, latestForMs: 300_000, avroJson: false },
      {
        ...{ url: 'http://s', key: { name: 'k', secret: 's' } },
        ...{ latestForMs: 60_000, avroJson: true },
      },
      0,
    ],
  );
});

test('who signs in does it over TLS, unless disableTls says otherwise', () => {
  const secure = (more: Readonly<Record<string, string>>) => {
    const { sasl, tls } = read({ brokers: 'h', ...more });
    return [sasl?.mechanism, tls];
  };
  const password = { authType: 'password', saslUsername: 'u', saslPassword: 'p' };
  const pair = { clientCert: PEM, clientKey: KEY };
  assert.deepEqual(
    [
      secure(password),
      secure({ ...password, saslMechanism: 'SHA-512', caCert: PEM, skipVerify: 'true' }),
      secure({ ...password, disableTls: 'true' }),
      secure({ authType: 'certificate', caCert: PEM }),
      secure({ authType: 'mtls', ...pair }),
      secure({ authType: 'mtls', skipVerify: 'true' }),
      secure({ authRequired: 'true', ...pair }),
      secure({ authRequired: 'false' }),
    ],
    [
      ['PLAIN', { rejectUnauthorized: true }],
      ['SCRAM-SHA-512', { ca: PEM, rejectUnauthorized: false }],
      ['PLAIN', undefined],
      [undefined, { ca: PEM, rejectUnauthorized: true }],
      [undefined, { cert: PEM, key: KEY, rejectUnauthorized: true }],
      [undefined, { rejectUnauthorized: false }],
      [undefined, { cert: PEM, key: KEY, rejectUnauthorized: true }],
      [undefined, undefined],
    ],
  );
});

test('what tunes the client is a number, or a duration whose bare numbers are seconds', () => {
  const {
    assignment,
    compression,
    fetchMinBytes,
    fetchPartitionBytes,
    heartbeatMs,
    sessionTimeoutMs,
  } = read({
    ...plain,
    compression: 'ZSTD',
    consumerFetchMin: '10',
    consumerFetchDefault: '2048',
    sessionTimeout: '30',
    heartbeatInterval: '20s',
    consumerGroupRebalanceStrategy: 'Sticky',
  });
  assert.deepEqual(
    [assignment, compression, fetchMinBytes, fetchPartitionBytes, sessionTimeoutMs, heartbeatMs],
    ['sticky', 'zstd', 10, 2_048, 30_000, 10_000],
  );
});

test('a group has no spaces in its name, a client may', () => {
  assert.equal(read({ ...plain, clientID: 'orders service' }).clientId, 'orders service');
  assert.throws(() => read({ ...plain, consumerGroup: 'the billing' }), {
    message: 'metadata consumerGroup (or consumerID) must have no spaces, unlike "the billing"',
  });
});

test('a subscription that is lost comes back within a minute, whatever is said', () => {
  const waits = ['90s', '200ms', '0'].map(
    (consumeRetryInterval) => read({ ...plain, consumeRetryInterval }).reconnectMs,
  );
  assert.deepEqual(waits, [60_000, 200, 1]);
});

test('a constant wait before a failed event comes again, or one that grows', () => {
  const waits = (more: Readonly<Record<string, string>>) => {
    const { maxRedeliverMs, redeliverMs } = read({ ...plain, ...more });
    return [redeliverMs, maxRedeliverMs];
  };
  assert.deepEqual(
    [
      waits({ backOffDuration: '200ms' }),
      waits({ backOffPolicy: 'exponential' }),
      waits({
        backOffPolicy: 'Exponential',
        backOffInitialInterval: '1s',
        backOffMaxInterval: '9s',
      }),
    ],
    [
      [200, 200],
      [500, 60_000],
      [1_000, 9_000],
    ],
  );
});

test('an event that fails comes for ever, or as often as the metadata say', () => {
  const times = (more: Readonly<Record<string, string>>) => read({ ...plain, ...more }).giveUpAfter;
  assert.deepEqual(
    [
      times({ consumeRetryEnabled: 'true', backOffMaxRetries: '-1' }),
      times({ consumeRetryEnabled: 'false', backOffMaxRetries: '7' }),
      times({ backOffMaxRetries: '0' }),
      times({ backOffMaxRetries: '3' }),
    ],
    [undefined, 1, 1, 4],
  );
});

test('headers are left out by an expression of Go’s', () => {
  const { excludedHeaders } = read({ ...plain, excludeHeaderMetaRegex: '(?i)^x-(?P<rest>.*)' });
  assert.deepEqual(
    ['X-Mine', 'mine'].map((name) => excludedHeaders!.test(name)),
    [true, false],
  );
});

const REFUSED: readonly [Readonly<Record<string, string>>, string | RegExp][] = [
  [{ authType: 'none' }, 'metadata brokers must be given: "host:9092,host:9092"'],
  [
    { ...plain, brokers: 'http://h' },
    'metadata brokers "http://h" is no host:port, such as localhost:9092',
  ],
  [
    { brokers: 'h' },
    'metadata authType must be given: none, password, certificate, mtls, oidc, oidc_private_key_jwt',
  ],
  [
    { brokers: 'h', authType: 'awsiam' },
    'metadata authType: "awsiam" is not in this version, which has none, password, certificate, mtls, oidc, oidc_private_key_jwt',
  ],
  [
    { brokers: 'h', authType: 'password' },
    'metadata saslUsername and saslPassword must be given for authType "password"',
  ],
  [
    {
      brokers: 'h',
      authType: 'password',
      saslUsername: 'u',
      saslPassword: 'p',
      saslMechanism: 'X',
    },
    'metadata saslMechanism must be PLAINTEXT, PLAIN, SHA-256, SHA-512, not "X"',
  ],
  [
    { brokers: 'h', authType: 'mtls', clientKey: PEM },
    'metadata clientCert and clientKey must be given together',
  ],
  [
    { brokers: 'h', authType: 'certificate', caCert: '/etc/ca.pem' },
    'metadata caCert must be PEM, beginning with -----BEGIN',
  ],
  [
    { ...plain, authType: 'certificate', caCert: `${BEGIN}\nAAAA\n${END}` },
    /^metadata caCert cannot be read: /,
  ],
  [
    { ...plain, authType: 'mtls', clientCert: PEM, clientKey: OTHER_KEY },
    /^metadata clientCert and clientKey are no certificate and its key: /,
  ],
  [
    { brokers: 'h', authType: 'certificate', caCert: PEM, disableTls: 'true' },
    'metadata disableTls cannot be with authType "certificate", which is TLS',
  ],
  [
    { ...plain, initialOffset: 'middle' },
    'metadata initialOffset must be newest or oldest, not "middle"',
  ],
  [{ ...plain, maxMessageBytes: '-1' }, 'metadata maxMessageBytes must be at least 1, not -1'],
  [
    { ...plain, backOffPolicy: 'linear' },
    'metadata backOffPolicy must be constant or exponential, not "linear"',
  ],
  [
    { ...plain, seekOnStart: 'earliest' },
    'metadata seekOnStart: "earliest" is not in this version',
  ],
  [
    { ...plain, schemaRegistryURL: 'registry:8081' },
    'metadata schemaRegistryURL must be a URL such as http://localhost:8081, not "registry:8081"',
  ],
  [
    { ...plain, schemaRegistryURL: 'http://s', schemaLatestVersionCacheTTL: '-1s' },
    'metadata schemaLatestVersionCacheTTL must be 0 or more, not -1000 ms',
  ],
  [
    { ...plain, compression: 'rar' },
    'metadata compression must be none, gzip, snappy, lz4, zstd, not "rar"',
  ],
  [
    { ...plain, consumerGroupRebalanceStrategy: 'fair' },
    'metadata consumerGroupRebalanceStrategy must be range, roundrobin, sticky, not "fair"',
  ],
  [
    { ...plain, excludeHeaderMetaRegex: '(' },
    'metadata excludeHeaderMetaRegex: Invalid regular expression: /(/: Unterminated group',
  ],
  [
    { brokers: 'h', authRequired: 'perhaps' },
    'metadata authRequired must be true or false, not "perhaps"',
  ],
  [
    { ...plain, consumeRetryInterval: '-1' },
    'metadata consumeRetryInterval must be 0 or more, not -1 ms',
  ],
  [
    { ...plain, heartbeatInterval: '10s' },
    'metadata heartbeatInterval must be 100ms or more and less than sessionTimeout (10000 ms), not 10000 ms',
  ],
  [
    { ...plain, backOffMaxRetries: '1000' },
    'metadata backOffMaxRetries must be 0 to 999, or -1 for no end, not 1000',
  ],
];

for (const [metadata, message] of REFUSED) {
  test(`refused: ${message}`, () => {
    assert.throws(() => read(metadata), { message });
  });
}

function read(metadata: Readonly<Record<string, string>>) {
  return kafkaPubSubSettings(new ComponentSettings('p', Object.entries(metadata)), names);
}
