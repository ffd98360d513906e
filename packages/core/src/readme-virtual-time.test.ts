import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pipeline, retry, timeout } from '@holdfast/core';
import { record, seededRandom, VirtualClock } from '@holdfast/core/testing';

const clock = new VirtualClock();
const { events, listener } = record();
const tested = pipeline('tested', [retry({ jitter: 'none' }), timeout({ limitMs: 800 })], {
  clock,
  random: seededRandom(1),
  report: listener,
});

await clock.run(() => tested.execute(() => new Promise(() => {})).catch(() => {}));
// 4600 ms by its clock: four attempts of 800 ms, and waits of 200, 400 and 800 between them

test('the README’s virtual time is what it says', () => {
  const retries = events.flatMap((event) => (event.type === 'retry' ? [event.delayMs] : []));
  assert.deepEqual([clock.now(), retries], [4_600, [200, 400, 800]]);
});
