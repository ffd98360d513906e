import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ComponentSettings } from '../../../components/component-settings.ts';
import { jetstreamSettings } from './jetstream-settings.ts';

test('metadata becomes the consumer that Dapr makes of it', () => {
  const { consumer, credentials, redeliverMs, servers, single } = read({
    natsURL: 'localhost:4222, tls://other:4223',
    token: 'secret',
    deliverPolicy: 'sequence',
    startSequence: '7',
    ackWait: '5s',
    maxDeliver: '4',
    backOff: '[500ms, 2s]',
    maxAckPending: '10',
    replicas: '1',
    memoryStorage: 'true',
    rateLimit: '1024',
    heartbeat: '15s',
    flowControl: 'true',
    concurrency: 'parallel',
  });
  assert.deepEqual(
    { consumer, credentials, redeliverMs, servers, single },
    {
      consumer: {
        deliver_policy: 'by_start_sequence',
        opt_start_seq: 7,
        flow_control: true,
        idle_heartbeat: 15e9,
        ack_wait: 5e9,
        max_deliver: 4,
        backoff: [5e8, 2e9],
        max_ack_pending: 10,
        num_replicas: 1,
        mem_storage: true,
        rate_limit_bps: 1024,
      },
      credentials: { kind: 'token', token: 'secret' },
      redeliverMs: [5_000],
      servers: ['nats://localhost:4222', 'tls://other:4223'],
      single: false,
    },
  );
});

test('what is not said is as in Dapr', () => {
  const { ackPolicy, consumer, credentials, name, redeliverMs, single } = read({});
  assert.deepEqual(
    { ackPolicy, consumer, credentials, name, redeliverMs, single },
    {
      ackPolicy: 'explicit',
      consumer: { deliver_policy: 'all' },
      credentials: { kind: 'none' },
      name: 'dapr.io - pubsub.jetstream',
      redeliverMs: undefined,
      single: true,
    },
  );
});

test('a start that deliverPolicy does not ask for is left out', () => {
  const start = { startSequence: '1', startTime: '1630349391' };
  assert.deepEqual(read({ ...start, deliverPolicy: 'all' }).consumer, { deliver_policy: 'all' });
  assert.deepEqual(read({ ...start, deliverPolicy: 'time' }).consumer, {
    deliver_policy: 'by_start_time',
    opt_start_time: '2021-08-30T18:49:51.000Z',
  });
});

test('a bare number in backOff is seconds, and what is empty between commas is nothing', () => {
  const waits = (backOff: string) => read({ backOff }).redeliverMs;
  assert.deepEqual(
    [waits('5,,500ms,'), waits(','), waits('["1s", "2"]')],
    [[5_000, 500], undefined, [1_000, 2_000]],
  );
});

test('-1 is no limit, as NATS has it', () => {
  const { consumer, maxDeliver } = read({ maxDeliver: '-1', maxAckPending: '-1' });
  assert.deepEqual(
    [consumer, maxDeliver],
    [{ deliver_policy: 'all', max_deliver: -1, max_ack_pending: -1 }, 0],
  );
});

test('metadata that cannot be is refused by name', () => {
  const refusal = (metadata: Readonly<Record<string, string>>) => {
    try {
      read(metadata);
      return 'taken';
    } catch (error) {
      return (error as Error).message.replace('component p: metadata ', '');
    }
  };
  assert.deepEqual(
    [
      refusal({ natsURL: '' }),
      refusal({ natsURL: 'http://u:secret@h' }),
      refusal({ streamName: 'a.b' }),
      refusal({ durableName: 'a b' }),
      refusal({ format: 'json' }),
      refusal({ jwt: 'j' }),
      refusal({ tls_client_key: 'k' }),
      refusal({ tls_client_cert: '/nowhere', tls_client_key: '/nowhere' }),
      refusal({ deliverPolicy: 'first' }),
      refusal({ deliverPolicy: 'sequence' }),
      refusal({ deliverPolicy: 'time' }),
      refusal({ ackWait: 'soon' }),
      refusal({ backOff: '1s, soon' }),
      refusal({ backOff: '1s, 2s', maxDeliver: '2' }),
      refusal({ maxAckPending: '-2' }),
      refusal({ concurrency: 'some' }),
      refusal({ flowControl: 'true' }),
      refusal({ heartbeat: '5s', queueGroupName: 'q' }),
    ],
    [
      'natsURL is missing',
      'natsURL must be such as nats://localhost:4222, or tls://',
      'streamName must have no space, dot, star, angle or slash in it, unlike "a.b"',
      'durableName must have no space, dot, star, angle or slash in it, unlike "a b"',
      'format is not in this version',
      'jwt needs seedKey beside it',
      'tls_client_key needs tls_client_cert beside it',
      "tls_client_cert is neither PEM nor a file that can be read: ENOENT: no such file or directory, open '/nowhere'",
      'deliverPolicy must be all, last, new, sequence, time, not "first"',
      'deliverPolicy sequence needs startSequence beside it',
      'deliverPolicy time needs startTime beside it',
      'ackWait is "soon", which has a unit without a number; write 500ms, 5s or 1m30s',
      'backOff must be durations such as 1s, 5s, 30s, not "1s, soon"',
      'maxDeliver must be more than the 2 waits of backOff, not 2',
      'maxAckPending must be at least -1, not -2',
      'concurrency must be single or parallel, not "some"',
      'flowControl needs heartbeat too, such as 5s: without it NATS makes no such consumer',
      'flowControl and heartbeat cannot be together with queueGroupName; leave them or it out',
    ],
  );
});

function read(metadata: Readonly<Record<string, string>>) {
  const all = Object.entries({ natsURL: 'nats://127.0.0.1:4222', ...metadata });
  return jetstreamSettings(new ComponentSettings('p', all));
}
