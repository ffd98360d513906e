import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ComponentSettings } from '../../../components/component-settings.ts';
import { rabbitLayout } from './rabbit-layout.ts';
import { rabbitPubSubSettings } from './rabbit-pubsub-settings.ts';

const URL_OF = { connectionString: 'amqp://h:5672' };

describe('the settings of pubsub.rabbitmq', () => {
  test('are those of Dapr where nothing is said, but that what is published is kept', () => {
    const { consumerId, deletedWhenUnused, durable, exchangeKind, persistent, single } =
      read(URL_OF);
    assert.deepEqual(
      [consumerId, deletedWhenUnused, durable, exchangeKind, persistent, single],
      ['one', true, true, 'fanout', true, false],
    );
  });

  test('make an address of host, protocol, user and password', () => {
    const parts = { hostname: 'h:5672', username: 'u', password: 'p/@ %' };
    assert.equal(read(parts).url, 'amqp://u:p%2F%40%20%25@h:5672');
    assert.equal(read({ host: 'amqp://old' }).url, 'amqp://old');
    assert.deepEqual(read({ ...parts, protocol: 'amqps' }).tls, { external: false });
  });

  test('know one event at a time by either name', () => {
    assert.deepEqual(
      [
        read({ ...URL_OF, concurrency: 'single' }).single,
        read({ ...URL_OF, concurrencyMode: 'single' }).single,
      ],
      [true, true],
    );
  });

  test('take waits that RabbitMQ or a client cannot have as the nearest that they can', () => {
    const { heartbeatMs, reconnectMs } = read({
      ...URL_OF,
      heartBeat: '30s',
      reconnectWait: '0',
    });
    assert.deepEqual([heartbeatMs, reconnectMs], [30_000, 10]);
    assert.equal(read(URL_OF).reconnectMs, 100);
  });

  test('say what cannot be', () => {
    const refused: readonly (readonly [Record<string, string>, string])[] = [
      [{}, 'metadata connectionString, or hostname, must be given'],
      [
        { connectionString: 'http://h' },
        'metadata connectionString must be amqp://HOST:PORT or amqps://HOST:PORT',
      ],
      [{ protocol: 'tcp', hostname: 'h' }, 'metadata protocol must be amqp or amqps, not "tcp"'],
      [
        { ...URL_OF, protocol: 'amqps' },
        'metadata protocol is amqps, and connectionString says amqp',
      ],
      [
        { ...URL_OF, exchangeKind: 'ring' },
        'metadata exchangeKind must be fanout, topic, direct, headers, not "ring"',
      ],
      [
        { ...URL_OF, deliveryMode: '3' },
        'component p: metadata deliveryMode must be from 0 to 2, not 3',
      ],
      [
        { ...URL_OF, prefetchCount: '256' },
        'component p: metadata prefetchCount must be from 0 to 255, not 256',
      ],
      [
        { ...URL_OF, concurrency: 'two' },
        'component p: metadata concurrency must be single or parallel, not "two"',
      ],
      [
        { ...URL_OF, saslExternal: 'true' },
        'metadata saslExternal needs caCert, clientCert and clientKey beside it',
      ],
      [{ ...TLS_URL, caCert: 'x' }, 'metadata caCert must be PEM, beginning with -----BEGIN'],
      [
        { ...URL_OF, ttlInSeconds: '-1' },
        'metadata ttlInSeconds must be seconds, such as 30 or 1m, not "-1"',
      ],
    ];
    for (const [given, message] of refused) assert.throws(() => read(given), { message });
  });
});

test('what has no effect is nobody’s, so that the log can name it', () => {
  const unasked = (metadata: Readonly<Record<string, string>>) => {
    const given = new ComponentSettings('p', Object.entries(metadata));
    rabbitPubSubSettings(given, { appId: 'one' });
    return given.unasked();
  };
  assert.deepEqual(
    [
      unasked({ ...URL_OF, caCert: PEM, clientCert: PEM }),
      unasked({ ...TLS_URL, caCert: PEM, clientCert: PEM }),
      unasked({ ...TLS_URL, clientCert: PEM, clientKey: PEM }),
    ],
    [['caCert', 'clientCert'], ['clientCert'], []],
  );
});

test('an event is kept for ever where the component says 0 seconds', () => {
  assert.equal(read({ ...URL_OF, ttlInSeconds: '0' }).ttlMs, undefined);
});

describe('a queue of pubsub.rabbitmq', () => {
  const queueOf = (details: Readonly<Record<string, string>>, more: Record<string, string> = {}) =>
    rabbitLayout(read({ ...URL_OF, ...more })).queueOf('t', { group: 'g', details });

  test('is bound with each of its routing keys, and has the name that its subscription gives it', () => {
    const { name, routingKeys } = queueOf({ queueName: 'q', routingKey: 'a.*,b' });
    assert.deepEqual([name, routingKeys], ['q', ['a.*', 'b']]);
    assert.deepEqual([queueOf({}).name, queueOf({}).routingKeys], ['g-t', ['']]);
  });

  test('hands failures to a dead letter queue, but not where they are to be requeued', () => {
    const dead = queueOf({}, { enableDeadLetter: 'true' });
    assert.equal(dead.deadLetters?.queue, 'dlq-g-t');
    const again = { enableDeadLetter: 'true', requeueInFailure: 'true' };
    assert.equal(queueOf({}, again).deadLetters, undefined);
  });

  test('says what its subscription cannot ask for', () => {
    assert.throws(() => queueOf({ queueType: 'stream' }), {
      message: 'metadata queueType must be classic or quorum, not "stream"',
    });
    assert.throws(() => queueOf({ queueType: 'quorum' }), {
      message:
        'metadata queueType quorum needs durable "true" and deletedWhenUnused "false" in the component',
    });
    assert.throws(() => queueOf({ maxPriority: 'high' }), {
      message: 'metadata maxPriority must be a whole number, not "high"',
    });
  });
});

const PEM = '-----BEGIN CERTIFICATE-----';
const TLS_URL = { connectionString: 'amqps://h' };
const read = (metadata: Readonly<Record<string, string>>) =>
  rabbitPubSubSettings(new ComponentSettings('p', Object.entries(metadata)), { appId: 'one' });
