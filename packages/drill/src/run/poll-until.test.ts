import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { VirtualClock } from '@holdfast/core/testing';
import type { Probe } from './drill.ts';
import { type Polled, pollUntil } from './poll-until.ts';

describe('pollUntil', () => {
  test('asks until the answer is yes', async () => {
    assert.deepEqual(await poll(async (nowMs) => nowMs >= 120), { ok: true, tookMs: 150 });
  });

  test('takes an error and a text for "not yet", and keeps the last of them', async () => {
    const failing = await poll(() => Promise.reject(new Error('refused')));
    const waiting = await poll(async (nowMs) => `${nowMs} of 900`);

    assert.deepEqual(failing, { ok: false, tookMs: 1_000, missing: 'Error: refused' });
    assert.deepEqual(waiting, { ok: false, tookMs: 1_000, missing: '1000 of 900' });
  });

  test('ends at once when the drill is interrupted, with the reason', async () => {
    const interrupt = new AbortController();
    const polling = poll(async (nowMs) => {
      if (nowMs >= 100) interrupt.abort(new Error('enough'));
      return false;
    }, interrupt.signal);

    await assert.rejects(polling, { message: 'enough' });
  });
});

function poll(
  probe: (nowMs: number) => ReturnType<Probe>,
  signal = new AbortController().signal,
): Promise<Polled> {
  const clock = new VirtualClock();
  const options = { limitMs: 1_000, everyMs: 50 };
  return clock.run(() => pollUntil(() => probe(clock.now()), options, { clock, signal }));
}
