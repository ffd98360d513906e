import assert from 'node:assert/strict';
import { test } from 'node:test';
import { freePort } from '@holdfast/test-servers';
import * as kafka from '@platformatic/kafka';
import { BrokerUnavailableError } from '../errors.ts';
import { kafkaBroker } from './kafka-broker.ts';
import { isUnsent } from './unsent.ts';

const away = failed('ECONNREFUSED');
const reached = new kafka.NetworkError('Connection closed');
const closed = new kafka.UserError('Client closed while retrying produce.');

for (const [what, attempts, unsent] of [
  ['nobody listens', [away, away, away], true],
  ['no name, no route, no answer', ['ENOTFOUND', 'EHOSTUNREACH', 'ETIMEDOUT'].map(failed), true],
  ['it took too long to connect', [new kafka.TimeoutError('Connection to k:1 timed out.')], true],
  ['the client was closed before it had one', [away, closed], true],
  [
    'the client was closed before it asked for one',
    [away, new kafka.NetworkError('Connection pool is closed.')],
    true,
  ],
  ['another broker leads', [protocol('NOT_LEADER_OR_FOLLOWER'), away], true],
  ['too few have it', [protocol('NOT_ENOUGH_REPLICAS')], true],
  ['a connection ended', [reached, away, away], false],
  ['too few had it, but it was written', [protocol('NOT_ENOUGH_REPLICAS_AFTER_APPEND')], false],
  ['the password is wrong', [failed('PLT_KFK_AUTHENTICATION')], false],
] as const) {
  test(`${what}: ${unsent ? 'nothing was sent' : 'it may have been sent'}`, () => {
    const produce = new kafka.MultipleErrors('produce failed 3 times.', [...attempts]);
    assert.equal(
      isUnsent(new kafka.MultipleErrors('Producing messages failed.', [produce]), 1),
      unsent,
    );
  });
}

test('of several messages some may have been taken by others, once they were sent', () => {
  const before = new kafka.MultipleErrors('initProducerId failed 3 times.', [away, away]);
  const after = new kafka.MultipleErrors('Producing messages failed.', [away]);
  assert.deepEqual([isUnsent(before, 2), isUnsent(after, 2)], [true, false]);
  assert.equal(isUnsent('no error at all', 1), false);
});

test('the client’s own errors say it where nobody listens', async (t) => {
  const bootstrap = [`127.0.0.1:${await freePort()}`];
  const broker = kafkaBroker({ kafka, bootstrap, clientId: 'c' });
  t.after(() => broker.close());
  const message = { id: 'm', topic: 't', key: undefined, body: new Uint8Array(), headers: {} };
  for (const messages of [[message], [message, { ...message, id: 'n' }]]) {
    await assert.rejects(broker.publish(messages), (error) => {
      assert.ok(error instanceof BrokerUnavailableError);
      return error.unsent && !error.lasting;
    });
  }
});

function failed(code: string) {
  const cause = Object.assign(new Error(code), { code });
  return new kafka.NetworkError('Connection to k:1 failed.', { cause });
}

function protocol(apiId: string) {
  return new kafka.ProtocolError(apiId as never);
}
