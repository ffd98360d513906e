import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pipeline, retry, timeout } from '@holdfast/core';
import { virtualWorld } from '@holdfast/core/testing';

test('a price that never comes is asked for four times', async () => {
  const world = virtualWorld(); // its own time, chance, registry and record
  const policies = [retry({ jitter: 'none' }), timeout({ limitMs: 800 })];
  const prices = pipeline('prices', policies, world.env);

  const { error, tookMs, events } = await world.play(() =>
    prices.execute(() => new Promise(() => {})),
  );

  assert.equal(String(error), 'TimedOutError: "timeout" gave up after 800 ms.');
  assert.equal(tookMs, 4_600); // four attempts of 800 ms, and waits of 200, 400 and 800 between them
  assert.equal(events.filter(({ type }) => type === 'retry').length, 3);
  assert.deepEqual(world.left(), []); // no timer, no call in flight, no place taken
});
