import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { GivenUp } from '../broker.ts';
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

test('what processes had so often and never said how it ended is not handed over any more', async () => {
  const { deliver, happened, reasons } = begin(3, ['a ok']);
  await deliver('a', 2);
  await deliver('b', 3);

  assert.deepEqual(happened, ['a handled', 'b given up', 'b handled']);
  assert.deepEqual(reasons, [
    'NEVER_ENDED: handed over 3 times, and nobody said how it ended: it may be what ends its workers',
  ]);
});

test('failures here count on behind those, and what this process had itself counts once', async () => {
  const { deliver, happened } = begin(3, ['a', 'a', 'b', 'b ok']);
  await deliver('a', 1);
  // Its connection was lost meanwhile: the broker counts that too.
  await deliver('a', 2);
  await deliver('b', 2);
  await deliver('c', 0);

  assert.deepEqual(happened.slice(0, 4), ['a failed', 'a given up', 'a handled', 'b given up']);
});

test('a message that was handled and comes again, as its acknowledgement was lost, is not taken for one that kills', async () => {
  const { deliver, happened } = begin(2, ['a ok', 'a ok', 'a ok']);
  for (const unended of [0, 1, 2]) await deliver('a', unended);

  assert.deepEqual(happened, ['a handled', 'a handled', 'a handled']);
});

test('where one that kills cannot be kept, it is not handed over for that', async () => {
  const { deliver, happened } = begin(1, [], 1);
  await deliver('a', 1);
  await deliver('a', 2);

  assert.deepEqual(happened, ['a cannot be kept', 'a failed', 'a given up', 'a handled']);
});

test('where it cannot be kept the handler has it again, and then whoever keeps it', async () => {
  const { deliver, happened } = begin(1, ['a', 'a', 'a ok'], 1);
  await deliver('a');
  await deliver('a');

  assert.deepEqual(happened, ['a cannot be kept', 'a failed', 'a given up', 'a handled']);
});

test('it is given with how each delivery ended: here with the error, elsewhere as far as the broker counts', async () => {
  const { deliver, given } = begin(4, ['a', 'a']);
  await deliver('a', 2);
  await deliver('a', 3);

  const [{ history = [], ...rest } = {}] = given;
  const { reason = '', ...plain } = rest as Partial<GivenUp>;
  assert.deepEqual(plain, { group: 'g', deliveries: 4 });
  assert.match(reason, /^failed 4 times; last: Error: never\n {4}at /);
  const lines = history.map(({ what, detail }) => `${what} ${detail}`.replaceAll(/\S+:\d+/g, 'ME'));
  assert.deepEqual(
    lines.map((line) => line.slice(0, 45)),
    [
      'ended delivery 1: ended with its process, whi',
      'ended delivery 2: ended with its process, whi',
      'failed delivery 3 in ME: Error: never',
      'failed delivery 4 in ME: Error: never',
    ],
  );
});

test('a history keeps its last 20 deliveries, and is forgotten when its message is done', async () => {
  const many = Array.from({ length: 23 }, () => 'a');
  const { deliver, given } = begin(25, [...many, 'a ok', ...many, 'a', 'a']);
  for (let n = 0; n < 24; n += 1) await deliver('a', 0);
  for (let n = 0; n < 25; n += 1) await deliver('a', 0);

  assert.deepEqual(
    given.map(({ history, reason }) => [history.length, reason.split(';')[0]]),
    [[20, 'failed 25 times']],
  );
});

test('of all messages a million characters are kept; of the oldest beyond, the counts alone', async () => {
  const long = 'x'.repeat(2_000);
  const { deliver, given } = begin(3, [], 0, long);
  const ids = Array.from({ length: 990 }, (_, n) => `m${n}`);
  for (let round = 0; round < 2; round += 1) for (const id of ids) await deliver(id);
  // Of those the last round had not come to when it was too much, the first was forgotten.
  await deliver('m989');
  await deliver('m500');

  const lengths = given.map(({ history }) => history.length);
  assert.ok(lengths[0]! < 3 && lengths[1] === 3, String(lengths));
  const details = given[1]!.history.map(({ detail }) => detail.length);
  assert.deepEqual(details, [500, 500, 500]);
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
function begin(after: number, outcomes: readonly string[], full = 0, says = 'never') {
  const happened: string[] = [];
  const left = [...outcomes];
  let failing = full;
  const reasons: string[] = [];
  const given: GivenUp[] = [];
  const to = async ({ id }: IncomingMessage, error: unknown, how: GivenUp) => {
    const { code = 'none', message } = error as Error & { readonly code?: string };
    reasons.push(`${code}: ${message}`);
    failing -= 1;
    if (failing < 0) given.push(how);
    happened.push(failing >= 0 ? `${id} cannot be kept` : `${id} given up`);
    if (failing >= 0) throw new Error('no room');
  };
  const options = resolveSubscribeOptions({ group: 'g', giveUp: { after, to } });
  const handler = givingUp(async ({ id }) => {
    if (left.shift() !== `${id} ok`) throw new Error(says);
  }, options);
  const deliver = async (id: string, unended = 0) => {
    const message = { id, topic: 't', key: undefined, body: Buffer.alloc(0), headers: {} };
    await handler({ ...message, delivery: unended + 1 }, unended).then(
      () => happened.push(`${id} handled`),
      () => happened.push(`${id} failed`),
    );
  };
  return { deliver, given, happened, reasons };
}
