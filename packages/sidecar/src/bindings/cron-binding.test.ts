import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VirtualClock } from '@holdfast/core/testing';
import { createLogger } from '@holdfast/telemetry/log';
import { ComponentSettings } from '../components/component-settings.ts';
import { cronBinding } from './cron-binding.ts';

test('cron tells when it is time, and what time it is', async () => {
  const { advance, metadata, times } = begun('*/10 * * * * *');
  await advance(35_000);
  assert.deepEqual(
    [times, metadata[0]],
    [[10_000, 20_000, 30_000], { readTimeUTC: '1970-01-01 00:00:10 +0000 UTC', timeZone: 'Local' }],
  );
});

test('cron has one run at a time, leaves out what comes meanwhile, and says how much that was', async () => {
  const { advance, lines, times } = begun('@every 1s', 2_500);
  await advance(8_000);
  assert.deepEqual(times, [1_000, 4_000, 7_000]);
  assert.match(lines[0] ?? '', /binding tick: .* 2 of its moments were left out/);
});

test('cron goes on after a run that failed', async () => {
  const { advance, times } = begun('@every 1s', 0, new Error('the application is down'));
  await advance(3_500);
  assert.deepEqual(times, [1_000, 2_000, 3_000]);
});

test('cron keeps to a wall clock that is set back or forward', async () => {
  const back = begun('0 * * * * *');
  await back.advance(30_000);
  back.clock.jumpWall(-20_000);
  await back.advance(60_000);
  const forward = begun('0 0 * * * *');
  await forward.advance(60_000);
  forward.clock.jumpWall(3_500_000);
  await forward.advance(60_000);
  // The minute that began at 80 s by the clock that never jumps; the hour, noticed within half a minute.
  assert.deepEqual([back.times, forward.times], [[80_000], [100_000]]);
});

test('cron that is stopped tells nothing more, and waits for the run that is under way', async () => {
  const { advance, binding, clock, times } = begun('@every 1s', 2_500);
  await advance(1_500);
  let ended = false;
  void binding.stop().then(() => {
    ended = true;
  });
  await advance(1_000);
  const early = ended;
  await advance(5_000);
  assert.deepEqual([times, early, ended, clock.pendingTimers], [[1_000], false, true, 0]);
});

test('cron that is suspended leaves out its moments, and tells the next when it is started again', async () => {
  const { advance, binding, clock, start, times } = begun('*/10 * * * * *', 2_500);
  await advance(11_000);
  let ended = false;
  void binding.suspend().then(() => {
    ended = true;
  });
  await advance(1_000);
  const early = ended;
  await advance(23_000);
  const asleep = [early, ended, clock.pendingTimers];
  start();
  await advance(6_000);
  assert.deepEqual(
    [times, asleep],
    [
      [10_000, 40_000],
      [false, true, 0],
    ],
  );
});

/** A binding that has been started; each run takes so long, and fails with `failure`. */
function begun(schedule: string, runMs = 0, failure?: Error) {
  const clock = new VirtualClock();
  const lines: string[] = [];
  const times: number[] = [];
  const metadata: unknown[] = [];
  const log = createLogger({ write: (line) => void lines.push(line) });
  const binding = cronBinding(new ComponentSettings('tick', [['schedule', schedule]]), clock, log);
  const start = () =>
    binding.start(async (event) => {
      times.push(clock.now());
      metadata.push(event.metadata);
      if (runMs > 0) await clock.sleep(runMs);
      if (failure !== undefined) throw failure;
      return undefined;
    });
  start();
  const advance = (ms: number) => clock.advance(ms);
  return { advance, binding, clock, lines, metadata, start, times };
}
