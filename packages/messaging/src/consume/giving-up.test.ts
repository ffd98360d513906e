import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { IncomingMessage } from '../message.ts';
import { givingUp } from './giving-up.ts';
import { resolveSubscribeOptions } from './subscribe-options.ts';

test('each message has its own failures; what succeeded has none any more', async () => {
  const { deliver, happened } = begin(2, ['a', 'b', 'a ok', 'a', 'b', 'a']);
  for (const id of ['a', 'b', 'a', 'a', 'b', 'a']) await deliver(id);

  assert.deepEqual(happened, [
    'a failed',
    'b failed',
    'a handled',
    'a failed',
    'b given up',
    'b handled',
    'a given up',
    'a handled',
  ]);
});

test('where it cannot be kept the handler has it again, and then whoever keeps it', async () => {
  const { deliver, happened } = begin(1, ['a', 'a', 'a ok'], 1);
  await deliver('a');
  await deliver('a');

  assert.deepEqual(happened, ['a cannot be kept', 'a failed', 'a given up', 'a handled']);
});

test('options that make no sense are named', () => {
  const resolve = (giveUp: unknown) =>
    resolveSubscribeOptions({ group: 'g', giveUp } as Parameters<
      typeof resolveSubscribeOptions
    >[0]);

  assert.throws(() => resolve({ after: 0, to: async () => {} }), {
    name: 'RangeError',
    message: /^subscribe\.giveUp\.after must be .* from 1 to 1000, not 0/,
  });
  assert.throws(() => resolve({ after: 3, to: 'orders.dead' }), {
    name: 'TypeError',
    message:
      'subscribe.giveUp.to must be a function that takes the message and the error, not string.',
  });
});

/** `outcomes` are what the handler does, one call after the other; ` ok` is success. `full`: so often nothing can be kept. */
function begin(after: number, outcomes: readonly string[], full = 0) {
  const happened: string[] = [];
  const left = [...outcomes];
  let failing = full;
  const to = async ({ id }: IncomingMessage) => {
    failing -= 1;
    happened.push(failing >= 0 ? `${id} cannot be kept` : `${id} given up`);
    if (failing >= 0) throw new Error('no room');
  };
  const options = resolveSubscribeOptions({ group: 'g', giveUp: { after, to } });
  const handler = givingUp(async ({ id }) => {
    if (left.shift() !== `${id} ok`) throw new Error('never');
  }, options);
  const deliver = async (id: string) => {
    const message = { id, topic: 't', key: undefined, body: Buffer.alloc(0), headers: {} };
    await handler({ ...message, delivery: 1 }).then(
      () => happened.push(`${id} handled`),
      () => happened.push(`${id} failed`),
    );
  };
  return { deliver, happened };
}
