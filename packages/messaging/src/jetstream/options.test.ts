import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as jetstream from '@nats-io/jetstream';
import * as nats from '@nats-io/transport-node';
import { consumerName } from './names.ts';
import { connectOptions, type JetStreamBrokerOptions, resolveJetStreamOptions } from './options.ts';

test('options that cannot work are refused by name, and no password is repeated', () => {
  const refusal = (more: Partial<JetStreamBrokerOptions>) => {
    try {
      resolve(more);
      return 'taken';
    } catch (error) {
      return (error as Error).message;
    }
  };
  assert.deepEqual(
    [
      refusal({ servers: [] }),
      refusal({ servers: ['http://u:secret@h'] }),
      refusal({ clientId: '' }),
      refusal({ stream: 'a.b' }),
      refusal({ subjectPrefix: '' }),
      refusal({ subjectPrefix: 'orders' }),
      refusal({ subjectPrefix: 'a..' }),
      refusal({ deliverFrom: 'last' as 'all' }),
      refusal({ replicas: 6 }),
      refusal({ maxAgeMs: 60_000 }),
      refusal({ ackWaitMs: 10 }),
    ],
    [
      'jetstreamBroker.servers must name at least one URL such as nats://127.0.0.1:4222.',
      'jetstreamBroker.servers must name at least one URL such as nats://127.0.0.1:4222.',
      'jetstreamBroker.clientId must not be empty.',
      'jetstreamBroker.stream "a.b" cannot be: NATS allows 1 to 200 characters, none of them a space, dot, star, angle or slash.',
      'jetstreamBroker.createStream needs a subjectPrefix: without one the stream would take every subject.',
      'jetstreamBroker.subjectPrefix must be tokens that end with a dot, such as orders., not "orders".',
      'jetstreamBroker.subjectPrefix must be tokens that end with a dot, such as orders., not "a..".',
      'jetstreamBroker.deliverFrom must be all or new, not last.',
      'jetstreamBroker.replicas must be a whole number from 1 to 5, not 6.',
      'jetstreamBroker.duplicateWindowMs must be a whole number from 100 to 60000, not 120000.',
      'jetstreamBroker.ackWaitMs must be a whole number from 1000 to 3600000, not 10.',
    ],
  );
});

test('user, password and token of an address go where the client wants them', () => {
  const signedIn = (server: string) => {
    const { pass, servers, tls, token, user } = connectOptions(
      resolve({ servers: [server] }),
      'publisher',
    );
    return { pass, servers, tls, token, user };
  };
  const none = { pass: undefined, tls: undefined, token: undefined, user: undefined };
  assert.deepEqual(['nats://h', 'nats://u%40x:p%3A@h:99', 'tls://secret@h:99'].map(signedIn), [
    { ...none, servers: ['h:4222'] },
    { ...none, servers: ['h:99'], user: 'u@x', pass: 'p:' },
    { ...none, servers: ['h:99'], token: 'secret', tls: {} },
  ]);
});

test('a consumer is named for group and topic, and no two pairs have one name', () => {
  assert.deepEqual(
    [consumerName('billing', 'orders.new'), consumerName('a@b', 'c'), consumerName('a', 'b@c')],
    ['billing@orders%2enew', 'a%40b@c', 'a@b%40c'],
  );
});

function resolve(more: Partial<JetStreamBrokerOptions>) {
  return resolveJetStreamOptions({
    nats,
    jetstream,
    servers: ['nats://127.0.0.1:4222'],
    clientId: 'c',
    ...more,
  });
}
