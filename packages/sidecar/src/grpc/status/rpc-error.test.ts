import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Code } from '@connectrpc/connect';
import { OutboxRefusedError } from '@holdfast/messaging';
import { outboxRefused } from '../../pubsub/pubsub-error.ts';
import { rpcError } from './rpc-error.ts';

test('what an outbox does not take says to a gRPC client whether and when to try again', () => {
  const said = (['OUTBOX_FULL', 'OUTBOX_UNAVAILABLE', 'MESSAGE_TOO_LARGE'] as const).map((code) => {
    const retryAfterMs = code === 'MESSAGE_TOO_LARGE' ? undefined : 1_500;
    const refused = new OutboxRefusedError(code, 'It is so.', retryAfterMs);
    const error = rpcError(outboxRefused('p', 't', refused));
    return [error.code, error.metadata.get('retry-after')];
  });
  assert.deepEqual(said, [
    [Code.ResourceExhausted, '2'],
    [Code.Unavailable, '2'],
    [Code.InvalidArgument, null],
  ]);
});
