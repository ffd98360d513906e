import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VirtualClock } from '@holdfast/core/testing';
import { initTimeoutMs, within } from './init-timeout.ts';

test('what is up in time is taken, and what comes late is closed', async () => {
  const clock = new VirtualClock();
  let closed = 0;
  const open = {
    close() {
      closed += 1;
    },
  };
  assert.equal(await within(1_000, 'it', clock, Promise.resolve(open)), open);
  assert.equal(await within(undefined, 'it', clock, Promise.resolve(open)), open);
  const late = Promise.withResolvers<typeof open>();
  const waiting = within(1_000, 'it (state.redis/v1)', clock, late.promise);
  await assert.rejects(
    clock.run(() => waiting),
    /^Error: init timeout for component it \(state\.redis\/v1\)$/,
  );
  assert.equal(closed, 0);
  late.resolve(open);
  await late.promise;
  assert.equal(closed, 1);
});

test('a time that is none is no limit', () => {
  assert.deepEqual(['1s', '1m30s', 'soon', '', '0s', '-1s', 5, undefined].map(initTimeoutMs), [
    1_000,
    90_000,
    undefined,
    undefined,
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
});
