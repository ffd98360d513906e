import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { VirtualClock } from '@holdfast/core/testing';
import { BrokerUnavailableError } from '@holdfast/messaging';
import { whenReached } from './when-reached.ts';

const away = new BrokerUnavailableError('away', undefined, false, true);

describe('whenReached', () => {
  test('what could not be sent is tried again, with growing pauses, until the broker is there', async () => {
    assert.deepEqual(await play({ backAtMs: 2_000 }), {
      how: 'published',
      atMs: [0, 50, 150, 350, 750, 1_250, 1_750, 2_250],
    });
  });

  test('it is not there for longer than anybody waits', async () => {
    const { how, atMs } = await play({ backAtMs: 60_000 });
    assert.equal(how, away);
    assert.equal(atMs.at(-1), 4_750);
  });

  for (const [what, error] of [
    ['may have been sent', new BrokerUnavailableError('it did not confirm')],
    ['is not let in', new BrokerUnavailableError('wrong password', undefined, true, true)],
    ['is refused', new Error('too large')],
  ] as const) {
    test(`what ${what} is not tried again`, async () => {
      assert.deepEqual(await play({ backAtMs: 60_000, error }), { how: error, atMs: [0] });
    });
  }

  test('nobody waits where an outbox before it keeps it', async () => {
    assert.deepEqual(await play({ backAtMs: 100, mayBeAway: true }), { how: away, atMs: [0] });
  });

  test('the wait ends with who waits, and with the component', async () => {
    for (const whose of ['signal', 'closing'] as const) {
      const { how, atMs } = await play({ backAtMs: 2_000, ends: whose });
      assert.deepEqual([String(how), atMs], ['Error: over', [0, 50, 150]]);
    }
  });
});

interface Plan {
  readonly backAtMs: number;
  readonly error?: Error;
  readonly mayBeAway?: boolean;
  /** What aborts after 200 ms. */
  readonly ends?: 'signal' | 'closing';
}

async function play({ backAtMs, ends, error = away, mayBeAway = false }: Plan) {
  const clock = new VirtualClock();
  const over = new AbortController();
  const never = new AbortController().signal;
  const atMs: number[] = [];
  const publish = async () => {
    atMs.push(clock.now());
    if (clock.now() < backAtMs) throw error;
  };
  if (ends !== undefined) clock.timer(200, () => over.abort(new Error('over')));
  const signals = { closing: never, signal: undefined, ...(ends && { [ends]: over.signal }) };
  const how = await clock.run(() =>
    whenReached(publish, { clock, mayBeAway, ...signals }).then(
      () => 'published' as const,
      (failure: unknown) => failure,
    ),
  );
  return { how, atMs };
}
